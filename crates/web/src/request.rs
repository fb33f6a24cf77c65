//! What a client asks for: the address taken apart, and whether the name by which it calls the server is one of its own.

use crate::escape::decoded;
use crate::past::{self, PastRoute};
use std::net::IpAddr;

/// A request, without anything of HTTP that does not count here.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// `GET`, for example.
    pub method: &'a str,
    /// The path, as it was sent.
    pub path: &'a str,
    /// What follows the question mark.
    pub query: Option<&'a str>,
    /// The name by which the client calls the server, with the port. None where it gave none, or several.
    pub host: Option<&'a str>,
    /// What it accepts.
    pub accept: Option<&'a str>,
    /// The `ETag` that it has already.
    pub known: Option<&'a str>,
    /// Something follows the headers.
    pub has_body: bool,
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Overview,
    Page(String),
    Style,
    Script,
    /// The script of plots, and the one that it draws with.
    Plots,
    Uplot,
    Icon,
    List,
    Ups(String),
    /// Of one UPS, or of all.
    Events(Option<String>),
    OpenApi,
    Health,
    Metrics,
    /// DRuggeri's names of this UPS.
    Druggeri(Option<String>),
    /// HON95's names of this target.
    Hon95(Option<String>),
    /// What the history has.
    Past(PastRoute),
}

/// How the server may be called, and where it lies behind a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Names besides `localhost` and addresses as numbers; without case.
    pub hosts: Vec<String>,
    /// The path that a proxy leaves in front of ours, such as `/ups`; empty for none.
    pub base: String,
}

impl Place {
    /// Whether a client that calls the server so means it. Another name may be one whose owner had it point here, so that
    /// pages of his read ours (DNS rebinding).
    pub fn is_ours(&self, host: Option<&str>) -> bool {
        let Some(name) = host.and_then(name_of) else { return false };
        let name = name.strip_suffix('.').unwrap_or(name);
        name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok()
            || self.hosts.iter().any(|known| known.trim_end_matches('.').eq_ignore_ascii_case(name))
    }

    /// The path without what a proxy left in front of it; none where it lies elsewhere.
    fn inner<'p>(&self, path: &'p str) -> Option<&'p str> {
        let base = self.base.trim_end_matches('/');
        let rest = path.strip_prefix(base)?;
        match rest {
            "" => Some("/"),
            rest if rest.starts_with('/') => Some(rest),
            _ => None,
        }
    }

    /// What lies at a path. A proxy may take the base away or leave it.
    pub(crate) fn route(&self, path: &str, query: Option<&str>) -> Option<Route> {
        self.find(path, |path| route(path, query))
    }

    /// The same of anything that lies at paths.
    pub(crate) fn find<T>(&self, path: &str, look: impl Fn(&str) -> Option<T>) -> Option<T> {
        let inner = if self.base.is_empty() { None } else { self.inner(path) };
        inner.and_then(&look).or_else(|| look(path))
    }

    /// Whether a host, with or without a port, is one of the configured names.
    pub(crate) fn names(&self, host: &str) -> bool {
        let name = name_of(host).map(|name| name.trim_end_matches('.'));
        name.is_some_and(|name| {
            self.hosts.iter().any(|known| known.trim_end_matches('.').eq_ignore_ascii_case(name))
        })
    }
}

/// The name of a host without its port.
pub(crate) fn name_of(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, rest) = rest.split_once(']')?;
            name.parse::<std::net::Ipv6Addr>().ok()?;
            (name, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let is_port = port.is_none_or(|port| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()));
    (is_port && !name.is_empty()).then_some(name)
}

fn route(path: &str, query: Option<&str>) -> Option<Route> {
    let named = |rest: &str| decoded(rest, false).filter(|_| !rest.is_empty() && !rest.contains('/'));
    Some(match path {
        "/" => Route::Overview,
        "/page.css" => Route::Style,
        "/page.js" => Route::Script,
        "/plots.js" => Route::Plots,
        "/uplot.js" => Route::Uplot,
        "/icon.svg" => Route::Icon,
        "/api/v1/ups" => Route::List,
        "/api/v1/events" => Route::Events(parameter(query, "ups")),
        "/api/v1/openapi.json" => Route::OpenApi,
        "/healthz" => Route::Health,
        "/metrics" => Route::Metrics,
        "/ups_metrics" => Route::Druggeri(parameter(query, "ups")),
        "/nut" => Route::Hon95(parameter(query, "target")),
        path if past::route(path, None).is_some() => Route::Past(past::route(path, query)?),
        path => match (path.strip_prefix("/ups/"), path.strip_prefix("/api/v1/ups/")) {
            (Some(rest), _) => Route::Page(named(rest)?),
            (None, Some(rest)) => Route::Ups(named(rest)?),
            (None, None) => return None,
        },
    })
}

/// The first parameter of that name that holds something.
pub(crate) fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    query?.split('&').find_map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(key, true).as_deref() == Some(name))
            .then(|| decoded(value, true))?
            .filter(|value| !value.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_server_are_its_own() {
        let place = Place { hosts: vec!["ups.example.org".into()], base: String::new() };
        for (host, is_ours) in [
            (Some("localhost:9550"), true),
            (Some("LOCALHOST"), true),
            (Some("127.0.0.1:9550"), true),
            (Some("[::1]:9550"), true),
            (Some("[fe80::1]"), true),
            (Some("192.0.2.7"), true),
            (Some("ups.example.org"), true),
            (Some("UPS.example.org.:443"), true),
            (None, false),
            (Some(""), false),
            (Some(":80"), false),
            (Some("evil.example"), false),
            (Some("localhost.evil.example"), false),
            (Some("127.0.0.1.evil.example"), false),
            (Some("evil.example:127.0.0.1"), false),
            (Some("[evil.example]"), false),
            (Some("localhost:80:80"), false),
            (Some("localhost@evil.example"), false),
            (Some("ups.example.org.evil.example"), false),
            (Some("127.0.0.1/evil"), false),
        ] {
            assert_eq!(place.is_ours(host), is_ours, "{host:?}");
        }
    }

    #[test]
    fn a_path_leads_to_one_thing() {
        let place = Place::default();
        let at = |path: &str| place.route(path, None);
        assert_eq!(at("/"), Some(Route::Overview));
        assert_eq!(at("/ups/%3Cscript%3E"), Some(Route::Page("<script>".into())));
        assert_eq!(at("/api/v1/ups/a%2Fb"), Some(Route::Ups("a/b".into())));
        for nothing in [
            "",
            "//",
            "/ups",
            "/ups/",
            "/ups/a/b",
            "/ups/%ff",
            "/ups/..%",
            "/index.html",
            "/api/v1/ups/",
            "*",
        ] {
            assert_eq!(at(nothing), None, "{nothing}");
        }
        let asked = |query: &str| place.route("/ups_metrics", Some(query));
        assert_eq!(asked("server=x&ups=r%61ck+2"), Some(Route::Druggeri(Some("rack 2".into()))));
        assert_eq!(asked("ups=&x&="), Some(Route::Druggeri(None)));
        assert_eq!(asked("ups=%ff"), Some(Route::Druggeri(None)));
    }

    #[test]
    fn a_proxy_may_leave_its_path_or_take_it_away() {
        let place = Place { hosts: vec![], base: "/power".into() };
        for (path, route) in [
            ("/power", Some(Route::Overview)),
            ("/power/", Some(Route::Overview)),
            ("/power/metrics", Some(Route::Metrics)),
            ("/metrics", Some(Route::Metrics)),
            ("/powermetrics", None),
            ("/other/metrics", None),
        ] {
            assert_eq!(place.route(path, None), route, "{path}");
        }
    }
}
