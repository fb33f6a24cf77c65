//! `[[notify]]` and `[outputs.NAME]` of `qxups.toml`: rules, and where their notices go.

use super::read::{TomlReader, heading, meant, shown};
use notify::output::{ExecPlan, MailPlan, SendmailPlan, SmtpPlan, SmtpTls, WebhookPlan, is_address};
use notify::{HiddenText, NamePattern, NoticeTemplate, NotifyCondition, NotifyRule};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// No more rules, outputs and hosts.
const RULES: usize = 200;
const OUTPUTS: usize = 32;
const HOSTS: usize = 64;
/// So many notices a minute go to an output where the file does not say it.
const PER_MINUTE: u64 = 10;
/// An attempt takes no longer, in seconds, where the file does not say it.
const LIMIT_S: u64 = 20;
/// What a webhook sends where the file does not say it.
const BODY: &str = "{\"title\":\"{{title}}\",\"text\":\"{{text}}\",\"ups\":\"{{ups}}\",\"rule\":\"{{rule}}\",\
                    \"kind\":\"{{kind}}\",\"type\":\"{{type}}\",\"status\":\"{{status}}\",\"id\":\"{{id}}\",\
                    \"time\":\"{{time}}\",\"since\":\"{{since}}\",\"repetition\":\"{{repetition}}\"}";

/// Rules and outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct NotifyOptions {
    /// In the order of the file.
    pub rules: Vec<NotifyRule>,
    /// In the order of the alphabet.
    pub outputs: Vec<OutputOptions>,
}

impl Eq for NotifyOptions {}

/// One output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputOptions {
    /// Its name.
    pub name: String,
    /// `per_minute`: no more notices a minute; what is held back is said in the next one.
    pub per_minute: u32,
    /// What it is.
    pub kind: OutputKind,
}

/// What delivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// `exec`.
    Exec(ExecPlan),
    /// `webhook`; its secret is read from a file, if one is named.
    Webhook(Box<WebhookPlan>, Option<SecretPlace>, ServerProof),
    /// `sendmail`.
    Sendmail(SendmailPlan),
    /// `smtp`; its password is read from a file, if one is named.
    Smtp(Box<SmtpPlan>, Option<SecretPlace>, ServerProof),
}

/// A file with a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPlace(pub PathBuf);

/// By what a server of an output is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerProof {
    /// The certificates that this system takes.
    System,
    /// `ca_file`: those of a file.
    File(PathBuf),
    /// `fingerprint`: this very certificate.
    Fingerprint(String),
}

impl NotifyOptions {
    /// Whether the file itself holds what others should not read: a URL may be enough to write to a telephone.
    pub fn has_secrets(&self) -> bool {
        self.outputs.iter().any(|output| match &output.kind {
            OutputKind::Webhook(..) => true,
            OutputKind::Smtp(plan, place, _) => plan.login.is_some() && place.is_none(),
            OutputKind::Exec(_) | OutputKind::Sendmail(_) => false,
        })
    }
}

/// Reads both.
pub(super) fn read(reader: &mut TomlReader<'_>) -> Option<Box<NotifyOptions>> {
    let mut outputs = vec![];
    for (at, name) in reader.names("outputs").into_iter().enumerate() {
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_name || name.is_empty() || name.len() > 64 || at >= OUTPUTS {
            let said = format!(
                "{} cannot be an output: write [outputs.NAME] with letters, digits, - and _; there may be {OUTPUTS}",
                shown(&name)
            );
            reader.refuse_key("outputs", &name, said);
            continue;
        }
        outputs.extend(output(reader, name));
    }
    let names = reader.names("outputs");
    let mut rules: Vec<NotifyRule> = vec![];
    for number in 0..reader.count("notify") {
        let table = format!("notify.{number}");
        let Some(rule) = rule(reader, &table, &names) else { continue };
        if rules.iter().any(|other| other.name == rule.name) || number >= RULES {
            let said = format!(
                "a rule is called \"{}\" already, or there are more than {RULES}: write another name = \"...\"",
                shown(&rule.name)
            );
            reader.lacks(&table, said);
        }
        rules.push(rule);
    }
    (!rules.is_empty() || !outputs.is_empty()).then(|| Box::new(NotifyOptions { rules, outputs }))
}

fn rule(reader: &mut TomlReader<'_>, table: &str, outputs: &[String]) -> Option<NotifyRule> {
    reader.check_keys(table, &["name", "when", "hosts", "after_s", "ups", "to", "repeat_s", "begin", "end"]);
    let condition = condition(reader, table);
    let name = reader.text(table, "name", "a name for the rule, such as name = \"mains\"");
    let after = reader.number(table, "after_s", 0..=604_800).map(Duration::from_secs);
    let repeat = reader.number(table, "repeat_s", 10..=604_800).map(Duration::from_secs);
    let tells_begin = reader.flag(table, "begin").unwrap_or(true);
    let tells_end = reader.flag(table, "end").unwrap_or(true);
    if !tells_begin && (!tells_end || repeat.is_some()) {
        reader.refuse(
            table,
            "begin",
            "a rule that does not tell the begin tells the end, and repeats nothing: leave out end and repeat_s",
        );
    }
    let wanted = "names of UPSes, such as ups = [\"rack*\"]";
    let upses = reader.each_text(table, "ups", wanted, NamePattern::parse);
    let wanted = "names of outputs, such as to = [\"phone\"] for [outputs.phone]";
    let to = reader.each_text(table, "to", wanted, |name| Some(name.to_string()));
    for name in &to {
        if !outputs.contains(name) {
            let known: Vec<&str> = outputs.iter().map(String::as_str).collect();
            let then = match known.is_empty() {
                true => format!("add [outputs.{}]", shown(name)),
                false => meant(name, &known),
            };
            reader.refuse(table, "to", &format!("there is no output {}: {then}", shown(name)));
        }
    }
    if to.is_empty() {
        reader.lacks(
            table,
            format!("{} goes to no output: write to = [\"NAME\"] for [outputs.NAME]", heading(table)),
        );
    }
    let condition = condition?;
    Some(NotifyRule {
        name: name.unwrap_or_else(|| condition.to_string()),
        after: after.unwrap_or_else(|| condition.usual_after()),
        condition,
        upses,
        outputs: to,
        repeat,
        tells_begin,
        tells_end,
    })
}

fn condition(reader: &mut TomlReader<'_>, table: &str) -> Option<NotifyCondition> {
    let wanted = "addresses of hosts, such as hosts = [\"192.0.2.7\"]";
    let hosts = reader.each_text(table, "hosts", wanted, |text| text.parse::<IpAddr>().ok());
    if !reader.has(table, "when") {
        reader.lacks(table, format!("{} has no condition: write when = \"on battery\"", heading(table)));
        return None;
    }
    let text = reader.text(table, "when", "a condition, such as when = \"on battery\"")?;
    match NotifyCondition::parse(&text) {
        Ok(NotifyCondition::SecondaryMissing(_)) => {
            if reader.length(table, "hosts") == 0 || hosts.len() > HOSTS {
                reader.refuse(
                    table,
                    "when",
                    &format!("it is to be known which hosts: write {wanted}, up to {HOSTS}"),
                );
            }
            let mut hosts: Vec<IpAddr> = hosts.iter().map(IpAddr::to_canonical).collect();
            hosts.dedup();
            Some(NotifyCondition::SecondaryMissing(hosts))
        }
        Ok(condition) => {
            if !hosts.is_empty() {
                reader.refuse(table, "hosts", "hosts belongs to when = \"secondary missing\": leave it out");
            }
            Some(condition)
        }
        Err(why) => {
            let why = if why.is_empty() { meant(&text, &NotifyCondition::spellings()) } else { why };
            reader.refuse(table, "when", &format!("{} is no condition: {why}", shown(&text)));
            None
        }
    }
}

const KINDS: [&str; 4] = ["exec", "webhook", "sendmail", "smtp"];

fn output(reader: &mut TomlReader<'_>, name: String) -> Option<OutputOptions> {
    let table = format!("outputs.{name}");
    if !reader.has("outputs", &name) || reader.names(&table).is_empty() {
        reader.refuse_key(
            "outputs",
            &name,
            format!("{name} is to be a table: write [{table}] and kind = \"webhook\" below"),
        );
        return None;
    }
    if !reader.has(&table, "kind") {
        reader.lacks(&table, format!("[{table}] has no kind: write kind = \"{}\"", KINDS.join("\", or \"")));
        return None;
    }
    let kind = reader.text(&table, "kind", "a kind, such as kind = \"webhook\"")?;
    let common = ["kind", "per_minute", "limit_s"];
    let own: &[&str] = match kind.as_str() {
        "exec" => &["command"],
        "webhook" => {
            &["url", "method", "headers", "content_type", "body", "secret_file", "ca_file", "fingerprint"]
        }
        "sendmail" => &["program", "from", "to"],
        "smtp" => {
            &["server", "tls", "user", "password", "password_file", "from", "to", "ca_file", "fingerprint"]
        }
        other => {
            reader.refuse(&table, "kind", &format!("{} is no kind: {}", shown(other), meant(other, &KINDS)));
            return None;
        }
    };
    reader.check_keys(&table, &[&common[..], own].concat());
    let per_minute = reader.number(&table, "per_minute", 1..=600).unwrap_or(PER_MINUTE);
    let limit = Duration::from_secs(reader.number(&table, "limit_s", 1..=600).unwrap_or(LIMIT_S));
    let kind = match kind.as_str() {
        "exec" => exec(reader, &table, limit)?,
        "webhook" => webhook(reader, &table, limit)?,
        "sendmail" => sendmail(reader, &table, limit)?,
        _ => smtp(reader, &table, limit)?,
    };
    Some(OutputOptions { name, per_minute: u32::try_from(per_minute).unwrap_or(1), kind })
}

/// A text with places, whatever the file is to fill in.
fn template(reader: &mut TomlReader<'_>, table: &str, key: &str, text: &str) -> Option<NoticeTemplate> {
    match NoticeTemplate::parse(text) {
        Ok(template) => Some(template),
        Err(name) => {
            let what = meant(&name, NoticeTemplate::names());
            reader.refuse(table, key, &format!("there is nothing called {{{{{}}}}}: {what}", shown(&name)));
            None
        }
    }
}

fn exec(reader: &mut TomlReader<'_>, table: &str, limit: Duration) -> Option<OutputKind> {
    let wanted = "a program with its arguments, such as command = [\"/usr/local/bin/told\", \"{{ups}}\"]; no shell reads it";
    let words =
        reader.each_text(table, "command", wanted, |word| (!word.contains('\0')).then(|| word.to_string()));
    let program = match words.first() {
        Some(first) if first.starts_with('/') && !first.contains("{{") => first.clone(),
        Some(_) => {
            reader.refuse(table, "command", &format!("a program is named by its whole path: write {wanted}"));
            return None;
        }
        None => {
            reader.lacks(table, format!("[{table}] runs nothing: write {wanted}"));
            return None;
        }
    };
    let command: Option<Vec<_>> = words.iter().map(|word| template(reader, table, "command", word)).collect();
    Some(OutputKind::Exec(ExecPlan { command: command?, program, limit }))
}

fn webhook(reader: &mut TomlReader<'_>, table: &str, limit: Duration) -> Option<OutputKind> {
    let wanted = "an address, such as url = \"https://ntfy.sh/TOPIC\"";
    let Some(url) = reader.text(table, "url", wanted) else {
        if !reader.has(table, "url") {
            reader.lacks(table, format!("[{table}] has no url: write {wanted}"));
        }
        return None;
    };
    let is_url =
        ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme) && url.len() > scheme.len());
    if !is_url && url.trim() != "{{secret}}" {
        reader.refuse(table, "url", &format!("url is no address of a web server: write {wanted}"));
    }
    let method = reader.text(table, "method", "\"POST\" or \"PUT\"").unwrap_or_else(|| "POST".into());
    if !["POST", "PUT"].contains(&method.as_str()) {
        reader.refuse(table, "method", "method is to be \"POST\" or \"PUT\"");
    }
    let content_type = reader.text(table, "content_type", "such as \"text/plain\"");
    let content_type = content_type.unwrap_or_else(|| "application/json".into());
    if !is_header_value(&content_type) {
        reader.refuse(table, "content_type", "content_type is no type: write such as \"text/plain\"");
    }
    let body =
        reader.text(table, "body", "a text, such as body = \"{{text}}\"").unwrap_or_else(|| BODY.into());
    let secret_file =
        reader.text(table, "secret_file", "the path of a file").map(|file| SecretPlace(file.into()));
    let proof = proof(reader, table);
    let headers = headers(reader, table);
    let plan = WebhookPlan {
        shown: host_of(&url),
        url: template(reader, table, "url", &url)?,
        method,
        headers,
        content_type,
        body: template(reader, table, "body", &body)?,
        secret: HiddenText::default(),
        limit,
    };
    let uses = |template: &NoticeTemplate| template.has("secret");
    let is_used = uses(&plan.url) || uses(&plan.body) || plan.headers.iter().any(|(_, value)| uses(value));
    match (&secret_file, is_used) {
        (Some(_), false) => reader.refuse(
            table,
            "secret_file",
            "the secret is used nowhere: write {{secret}} in url, body or headers where it belongs",
        ),
        (None, true) => {
            reader.lacks(
                table,
                format!("[{table}] fills in {{{{secret}}}} from nowhere: write secret_file = \"...\""),
            );
        }
        _ => {}
    }
    Some(OutputKind::Webhook(Box::new(plan), secret_file, proof))
}

fn headers(reader: &mut TomlReader<'_>, table: &str) -> Vec<(String, NoticeTemplate)> {
    let inner = format!("{table}.headers");
    let mut headers = vec![];
    for name in reader.names(&inner) {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let lower = name.to_ascii_lowercase();
        let own = ["host", "content-length", "content-type", "connection", "transfer-encoding"];
        if name.is_empty() || !name.bytes().all(is_token) || own.contains(&lower.as_str()) {
            let said = format!("{} cannot be set here; content_type has a key of its own", shown(&name));
            reader.refuse_key(&inner, &name, said);
            continue;
        }
        let Some(value) = reader.text(&inner, &name, "a text, such as Title = \"{{title}}\"") else {
            continue;
        };
        if !is_header_value(&value) {
            reader.refuse(&inner, &name, "a header is one line of ASCII");
        }
        headers.extend(template(reader, &inner, &name, &value).map(|value| (lower, value)));
    }
    if reader.has(table, "headers") && reader.names(&inner).is_empty() {
        reader.refuse(table, "headers", "headers is a table: write headers = { Title = \"{{title}}\" }");
    }
    headers
}

fn is_header_value(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The host of a URL, as the log may show it.
fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    if host.contains("{{") || host.is_empty() { "of a secret address".into() } else { host.into() }
}

fn proof(reader: &mut TomlReader<'_>, table: &str) -> ServerProof {
    let file = reader.text(table, "ca_file", "the path of a file with certificates");
    let fingerprint = reader.text(table, "fingerprint", "the SHA-256 of a certificate");
    if let Some(text) = &fingerprint {
        if let Err(why) = tls::Fingerprint::parse(text) {
            reader.refuse(table, "fingerprint", &why.to_string());
        }
    }
    match (file, fingerprint) {
        (Some(_), Some(_)) => {
            reader.refuse(
                table,
                "ca_file",
                "a server is known by ca_file or by fingerprint: leave one of them out",
            );
            ServerProof::System
        }
        (Some(file), None) => ServerProof::File(file.into()),
        (None, Some(fingerprint)) => ServerProof::Fingerprint(fingerprint),
        (None, None) => ServerProof::System,
    }
}

fn mail(reader: &mut TomlReader<'_>, table: &str) -> Option<MailPlan> {
    let from = reader.text(table, "from", "an address, such as from = \"ups@example.org\"");
    let wanted = "addresses, such as to = [\"admin@example.org\"]";
    let to = reader.each_text(table, "to", wanted, |text| is_address(text).then(|| text.to_string()));
    if from.is_none() || !reader.has(table, "to") {
        reader.lacks(table, format!("[{table}] needs both: write from = \"ups@example.org\" and {wanted}"));
    }
    let from = from?;
    if !is_address(&from) {
        reader.refuse(table, "from", "from is no address of a mail: write from = \"ups@example.org\"");
    }
    if reader.has(table, "to") && reader.length(table, "to") == 0 {
        reader.refuse(table, "to", &format!("a mail goes to one address at least: write {wanted}"));
    }
    Some(MailPlan { from, to })
}

fn sendmail(reader: &mut TomlReader<'_>, table: &str, limit: Duration) -> Option<OutputKind> {
    let program = reader.text(table, "program", "a whole path, such as \"/usr/sbin/sendmail\"");
    let program = program.unwrap_or_else(|| "/usr/sbin/sendmail".into());
    if !program.starts_with('/') {
        reader.refuse(
            table,
            "program",
            "a program is named by its whole path, such as \"/usr/sbin/sendmail\"",
        );
    }
    let mail = mail(reader, table)?;
    Some(OutputKind::Sendmail(SendmailPlan { program, mail, limit }))
}

fn smtp(reader: &mut TomlReader<'_>, table: &str, limit: Duration) -> Option<OutputKind> {
    let tls = match reader.text(table, "tls", "\"starttls\", \"implicit\" or \"none\"").as_deref() {
        None | Some("starttls") => SmtpTls::StartTls,
        Some("implicit") => SmtpTls::Implicit,
        Some("none") => SmtpTls::None,
        Some(other) => {
            let what = meant(other, &["starttls", "implicit", "none"]);
            reader.refuse(table, "tls", &format!("{} is no way to encrypt: {what}", shown(other)));
            SmtpTls::StartTls
        }
    };
    let server =
        reader.text(table, "server", "a host, such as server = \"mail.example.org\", or with a port");
    if server.is_none() && !reader.has(table, "server") {
        reader.lacks(table, format!("[{table}] has no server: write server = \"mail.example.org\""));
    }
    let usual = match tls {
        SmtpTls::StartTls => 587,
        SmtpTls::Implicit => 465,
        SmtpTls::None => 25,
    };
    let place = server.as_deref().map(|server| host_and_port(server, usual));
    if let Some(None) = place {
        reader.refuse(
            table,
            "server",
            "server is a host, or a host with a port, such as \"mail.example.org:587\"",
        );
    }
    let user = reader.text(table, "user", "a name, such as user = \"ups\"");
    let password = reader.text(table, "password", "a password, or better password_file = \"...\"");
    let file = reader.text(table, "password_file", "the path of a file").map(|file| SecretPlace(file.into()));
    let proof = proof(reader, table);
    let mail = mail(reader, table);
    let (host, port) = place??;
    match (&user, password.is_some(), file.is_some()) {
        (Some(_), false, false) => {
            reader.refuse(table, "user", "a user has a password: write password_file = \"...\"");
        }
        (_, true, true) => {
            reader.refuse(table, "password", "there is a password_file as well: leave one of them out")
        }
        (None, true, _) | (None, _, true) => {
            reader.lacks(table, format!("[{table}] has a password without a user: write user = \"...\""));
        }
        _ => {}
    }
    let is_local = host.parse::<IpAddr>().map_or(host == "localhost", |address| address.is_loopback());
    if user.is_some() && tls == SmtpTls::None && !is_local {
        reader.refuse(
            table,
            "tls",
            "a password does not leave this machine in the clear: write tls = \"starttls\", or \"implicit\"",
        );
    }
    let login = user.map(|user| (user, HiddenText::new(password.unwrap_or_default())));
    let plan = SmtpPlan { host, port, tls, login, mail: mail?, limit };
    Some(OutputKind::Smtp(Box::new(plan), file, proof))
}

/// `mail.example.org`, `mail.example.org:587`, `[::1]:25`.
fn host_and_port(text: &str, usual: u16) -> Option<(String, u16)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()?),
        _ => (text, usual),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    (!host.is_empty() && host.bytes().all(is_plain)).then(|| (host.to_string(), port))
}
