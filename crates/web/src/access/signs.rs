//! What a browser and a proxy say of where a request comes from: whether a page of this server sent it, and whether a password
//! may travel there.

use crate::request::Place;
use std::fmt;
use std::net::IpAddr;

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its address; that of the proxy, where there is one.
    pub address: IpAddr,
    /// Whether the connection is encrypted.
    pub is_encrypted: bool,
}

/// Headers that say where a request comes from. A browser sets the first two, and no page can change them.
#[derive(Clone, Copy, Debug, Default)]
pub struct BrowserSigns<'r> {
    /// `Origin`.
    pub origin: Option<&'r str>,
    /// `Sec-Fetch-Site`.
    pub fetch_site: Option<&'r str>,
    /// The name by which the client calls the server, with the port.
    pub host: Option<&'r str>,
    /// `X-Forwarded-Proto`: how the client came to the proxy.
    pub forwarded_proto: Option<&'r str>,
    /// There is another header of a proxy.
    pub is_forwarded: bool,
}

/// Over what a password and a session travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrowserWire {
    /// Encrypted up to the browser: cookies are for such connections alone.
    Sealed,
    /// They do not leave this machine.
    Local,
}

/// Why no password is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposed {
    /// The connection comes from another machine, and is not encrypted.
    Clear,
    /// It comes from a proxy of this machine, to which the browser's is not encrypted.
    ClearToProxy,
    /// The proxy does not say.
    Unsaid,
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Exposed::Clear => {
                "This connection is not encrypted, so a password would be seen on the network. Remove tls = false from [web] of \
                 qxups.toml, reload, and open the page by https."
            }
            Exposed::ClearToProxy => {
                "The connection to the proxy is not encrypted, so a password would be seen on the network. Open the page by https."
            }
            Exposed::Unsaid => {
                "A proxy passed this request on without the header X-Forwarded-Proto, so it cannot be known whether the \
                 connection to it is encrypted. Have the proxy set the header to the scheme of the request."
            }
        })
    }
}

impl BrowserSigns<'_> {
    /// Over what the request came.
    ///
    /// # Errors
    /// Why a password must not come that way.
    pub fn wire(&self, caller: &Caller) -> Result<BrowserWire, Exposed> {
        if caller.is_encrypted {
            return Ok(BrowserWire::Sealed);
        }
        // headers of a proxy count from this machine alone
        if !caller.address.to_canonical().is_loopback() {
            return Err(Exposed::Clear);
        }
        let origin = self.origin.unwrap_or_default();
        match self.forwarded_proto {
            Some(said) => {
                let is_https = said.split(',').all(|hop| hop.trim().eq_ignore_ascii_case("https"));
                if is_https { Ok(BrowserWire::Sealed) } else { Err(Exposed::ClearToProxy) }
            }
            None if self.is_forwarded => Err(Exposed::Unsaid),
            None if origin.starts_with("https://") => Ok(BrowserWire::Sealed),
            None => match origin.strip_prefix("http://") {
                Some(authority) if !is_local(authority) => Err(Exposed::ClearToProxy),
                _ => Ok(BrowserWire::Local),
            },
        }
    }

    /// Whether a browser says that a page of this server sent it.
    pub fn is_own_page(&self, place: &Place) -> bool {
        if let Some(site) = self.fetch_site {
            return site == "same-origin";
        }
        // a browser that does not say that: an old one, or one without encryption
        let authority = self
            .origin
            .and_then(|origin| origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")));
        authority.is_some_and(|authority| {
            self.host.is_some_and(|host| host.eq_ignore_ascii_case(authority)) || place.names(authority)
        })
    }

    /// The same of a program, which says nothing of the kind.
    pub fn is_own_page_or_none(&self, place: &Place) -> bool {
        (self.fetch_site.is_none() && self.origin.is_none()) || self.is_own_page(place)
    }
}

/// Whether a browser calls this machine so from itself.
fn is_local(authority: &str) -> bool {
    let name = crate::request::name_of(authority).unwrap_or_default();
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: Caller = Caller { address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), is_encrypted: false };

    #[test]
    fn a_password_comes_encrypted_or_does_not_leave_the_machine() {
        let far = |is_encrypted| Caller { address: [192, 0, 2, 1].into(), is_encrypted };
        let none = BrowserSigns::default();
        let https = BrowserSigns { forwarded_proto: Some("https"), ..none };
        assert_eq!(none.wire(&far(true)), Ok(BrowserWire::Sealed));
        // what another machine says of itself counts for nothing
        for signs in [none, https, BrowserSigns { origin: Some("https://ups.example.org"), ..none }] {
            assert_eq!(signs.wire(&far(false)), Err(Exposed::Clear));
        }
        for (signs, wire) in [
            (none, Ok(BrowserWire::Local)),
            (https, Ok(BrowserWire::Sealed)),
            (BrowserSigns { forwarded_proto: Some("http"), ..none }, Err(Exposed::ClearToProxy)),
            (BrowserSigns { forwarded_proto: Some("https, http"), ..none }, Err(Exposed::ClearToProxy)),
            (BrowserSigns { forwarded_proto: Some(""), ..none }, Err(Exposed::ClearToProxy)),
            (BrowserSigns { is_forwarded: true, ..none }, Err(Exposed::Unsaid)),
            (BrowserSigns { origin: Some("http://localhost:3494"), ..none }, Ok(BrowserWire::Local)),
            (BrowserSigns { origin: Some("http://127.0.0.1:3494"), ..none }, Ok(BrowserWire::Local)),
            (BrowserSigns { origin: Some("http://[::1]:3494"), ..none }, Ok(BrowserWire::Local)),
            (BrowserSigns { origin: Some("null"), ..none }, Ok(BrowserWire::Local)),
            (BrowserSigns { origin: Some("https://ups.example.org"), ..none }, Ok(BrowserWire::Sealed)),
            (BrowserSigns { origin: Some("http://ups.example.org"), ..none }, Err(Exposed::ClearToProxy)),
            (
                BrowserSigns { origin: Some("http://localhost.evil.example"), ..none },
                Err(Exposed::ClearToProxy),
            ),
        ] {
            assert_eq!(signs.wire(&LOCAL), wire, "{signs:?}");
        }
        let mapped = Caller { address: "::ffff:127.0.0.1".parse().unwrap(), is_encrypted: false };
        assert_eq!(none.wire(&mapped), Ok(BrowserWire::Local));
    }

    #[test]
    fn only_a_page_of_this_server_sends_forms() {
        let place = Place { hosts: vec!["ups.example.org".into()], base: String::new() };
        let of = |fetch_site: Option<&'static str>, origin: Option<&'static str>| BrowserSigns {
            origin,
            fetch_site,
            host: Some("127.0.0.1:3494"),
            ..BrowserSigns::default()
        };
        for (fetch_site, origin, is_own) in [
            (Some("same-origin"), Some("https://example.org"), true),
            (Some("same-origin"), Some("null"), true),
            (Some("same-site"), Some("http://127.0.0.1:3494"), false),
            (Some("cross-site"), Some("http://127.0.0.1:3494"), false),
            (Some("none"), None, false),
            (None, Some("http://127.0.0.1:3494"), true),
            (None, Some("http://127.0.0.1:8080"), false),
            (None, Some("https://UPS.example.org"), true),
            (None, Some("https://ups.example.org:8443"), true),
            (None, Some("https://ups.example.org.evil.example"), false),
            (None, Some("http://10.0.0.66"), false),
            (None, Some("null"), false),
            (None, None, false),
        ] {
            assert_eq!(of(fetch_site, origin).is_own_page(&place), is_own, "{fetch_site:?} {origin:?}");
        }
        assert!(of(None, None).is_own_page_or_none(&place));
        assert!(!of(None, Some("null")).is_own_page_or_none(&place));
        assert!(!of(Some("cross-site"), None).is_own_page_or_none(&place));
    }
}
