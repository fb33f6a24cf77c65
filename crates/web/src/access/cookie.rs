//! Our two cookies (RFC 6265). None has a path: the browser takes that of the page, so they work behind any path of a proxy
//! and are sent to nothing beside it.

/// The key of a session.
pub const SESSION_COOKIE: &str = "qxups-session";
/// What the form of the login has as its token, so that only a page of this server can send it.
pub const FORM_COOKIE: &str = "qxups-form";

/// The value of a cookie. None where it comes twice: a page of another server of the same host may have set the other.
pub fn only<'h>(headers: &[&'h str], name: &str) -> Option<&'h str> {
    let pairs = headers.iter().flat_map(|header| header.split(';'));
    let mut values = pairs.filter_map(|pair| {
        let (known, value) = pair.trim().split_once('=')?;
        (known == name).then_some(value)
    });
    values.next().filter(|_| values.next().is_none())
}

/// The header that sets a cookie until the browser is closed. `is_secure`: never in the clear.
pub fn set(name: &str, value: &str, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{name}={value}; HttpOnly; SameSite=Strict{secure}")
}

/// The header that takes it away.
pub fn forget(name: &str, is_secure: bool) -> String {
    set(name, "", is_secure) + "; Max-Age=0"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cookie_is_read_and_two_are_none() {
        assert_eq!(only(&["a=1; qxups-session=abc; b=2"], SESSION_COOKIE), Some("abc"));
        assert_eq!(only(&["a=1", "qxups-session=abc"], SESSION_COOKIE), Some("abc"));
        for header in ["", "qxups-session", "xqxups-session=1", "Qxups-Session=1", "a=qxups-session=1"] {
            assert_eq!(only(&[header], SESSION_COOKIE), None, "{header}");
        }
        assert_eq!(only(&["qxups-session=a; qxups-session=b"], SESSION_COOKIE), None);
        assert_eq!(only(&["qxups-session=a", "qxups-session=a"], SESSION_COOKIE), None);
    }

    #[test]
    fn no_script_and_no_other_site_gets_it() {
        assert_eq!(set("n", "v", true), "n=v; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(forget("n", false), "n=; HttpOnly; SameSite=Strict; Max-Age=0");
    }
}
