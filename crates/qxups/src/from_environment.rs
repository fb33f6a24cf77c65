//! A server from environment variables, as images of NUT for containers have them: one UPS and one user, without files and
//! without a shell. The names are those of widespread images (README of instantlinux/nut-upsd; `UPS_NAME` and the like of
//! upshift-docker/nut-upsd and its relatives), so a compose file of theirs goes on working.

use link::read_bounded;
use nut::network::PORT;
use serve::program::Where;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;

/// No file with a value is longer, in bytes.
const LONGEST: u64 = 4096;
/// Where Docker and Kubernetes put secrets.
pub const SECRETS: &str = "/run/secrets";
/// A container has one of these (Docker, Podman).
const MARKS: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];
/// Those that are driven in this process.
const DRIVERS: [&str; 3] = ["nutdrv_qx", "blazer_usb", "blazer_ser"];
/// The image of that name keeps its password here.
const SECRET: &str = "nut-upsd-password";

/// Whether this process is in a container.
pub fn is_container() -> bool {
    MARKS.iter().any(|mark| Path::new(mark).exists())
}

/// What a process was started with.
struct Variables<'a> {
    get: &'a dyn Fn(&str) -> Option<OsString>,
    secrets: &'a Path,
}

impl Variables<'_> {
    fn plain(&self, name: &str) -> Result<Option<String>, String> {
        let Some(value) = (self.get)(name).filter(|value| !value.is_empty()) else { return Ok(None) };
        let value = value.into_string().map_err(|_| format!("{name} is no UTF-8: write it in that"))?;
        check(name, value).map(Some)
    }

    /// The value of a variable, or what stands in the file that `NAME_FILE` names.
    fn one(&self, name: &str) -> Result<Option<String>, String> {
        let by_file = format!("{name}_FILE");
        match (self.plain(name)?, self.plain(&by_file)?) {
            (Some(_), Some(_)) => Err(format!("{name} and {by_file} are both set: keep one of them")),
            (None, Some(path)) => read(&by_file, Path::new(&path)).map(Some),
            (said, None) => Ok(said),
        }
    }

    /// The value under any of its names.
    fn any(&self, names: &[&str]) -> Result<Option<String>, String> {
        let mut said: Option<(&str, String)> = None;
        for name in names {
            let Some(value) = self.one(name)? else { continue };
            match &said {
                Some((other, before)) if *before != value => {
                    return Err(format!(
                        "{other} and {name} are the same setting, and differ: keep one of them"
                    ));
                }
                _ => said = Some((name, value)),
            }
        }
        Ok(said.map(|(_, value)| value))
    }

    fn number(&self, name: &str, least: i64) -> Result<Option<i64>, String> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        match text.parse() {
            Ok(number) if (least..=86_400).contains(&number) => Ok(Some(number)),
            _ => Err(format!("{name}={text}: write a whole number from {least} to 86400")),
        }
    }

    fn password(&self) -> Result<Option<String>, String> {
        if let Some(password) = self.one("API_PASSWORD")? {
            return Ok(Some(password));
        }
        let named = self.one("SECRETNAME")?;
        let name = named.clone().unwrap_or_else(|| SECRET.into());
        if name.contains('/') {
            return Err(format!("SECRETNAME={name}: write the name of a file in {}", self.secrets.display()));
        }
        let path = self.secrets.join(&name);
        match named.is_some() || path.exists() {
            true => read("SECRETNAME", &path).map(Some),
            false => Ok(None),
        }
    }
}

fn read(name: &str, path: &Path) -> Result<String, String> {
    let bytes = read_bounded(path, LONGEST).map_err(|error| {
        format!(
            "{name}: cannot read {}: {error}; mount it so that the server's user may read it",
            path.display()
        )
    })?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{name}: {} is no UTF-8", path.display()))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(format!("{name}: {} is empty: write the value into it", path.display())),
        value => check(name, value.into()),
    }
}

fn check(name: &str, value: String) -> Result<String, String> {
    match value.chars().any(char::is_control) {
        // the value may be a secret
        true => {
            Err(format!("{name} has a line's end or another control character in it: write it in one line"))
        }
        false => Ok(value),
    }
}

/// A value as NUT's files have it: there a `#` begins a comment inside of quotes as well.
fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for letter in value.chars() {
        if matches!(letter, '\\' | '"' | '#') {
            text.push('\\');
        }
        text.push(letter);
    }
    text + "\""
}

fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// The files that these variables stand for; `extras` is the text of `qxups.toml`.
///
/// # Errors
/// A sentence: which variable is wrong, and what to write.
pub fn texts(
    get: &dyn Fn(&str) -> Option<OsString>,
    secrets: &Path,
    extras: String,
) -> Result<Where, String> {
    let variables = Variables { get, secrets };
    if variables.one("NOTIFYCMD")?.is_some() {
        return Err("NOTIFYCMD is not run, for there is no shell: write [[notify]] into qxups.toml beside, or unset it".into());
    }
    let (ups, upsd) = (ups_conf(&variables)?, upsd_conf(&variables)?);
    Ok(Where::Texts { ups, upsd, users: upsd_users(&variables)?, extras })
}

fn ups_conf(variables: &Variables<'_>) -> Result<String, String> {
    let name = variables.any(&["NAME", "UPS_NAME"])?.unwrap_or_else(|| "ups".into());
    if !is_name(&name) {
        return Err(format!("NAME={name}: a name of a UPS has letters, digits, '-', '_' and '.'"));
    }
    let driver = variables.any(&["DRIVER", "UPS_DRIVER"])?.unwrap_or_else(|| DRIVERS[0].into());
    if !DRIVERS.contains(&driver.as_str()) {
        return Err(format!(
            "DRIVER={driver} is none of this server: write nutdrv_qx, blazer_usb or blazer_ser, or keep the image that has it"
        ));
    }
    let port = variables.any(&["PORT", "UPS_PORT"])?.unwrap_or_else(|| "auto".into());
    let mut text = format!("[{name}]\n    driver = {driver}\n    port = {}\n", quoted(&port));
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            // writing to a String does not fail
            let _ = writeln!(text, "    {key} = {}", quoted(&value));
        }
    };
    put("desc", variables.any(&["DESCRIPTION", "UPS_DESC"])?);
    put("serial", variables.one("SERIAL")?);
    put("vendorid", variables.any(&["VENDORID", "UPS_VENDORID"])?);
    put("productid", variables.any(&["PRODUCTID", "UPS_PRODUCTID"])?);
    put("protocol", variables.one("PROTOCOL")?);
    put("pollinterval", variables.number("POLLINTERVAL", 1)?.map(|number| number.to_string()));
    put("sdorder", variables.number("SDORDER", -1)?.map(|number| number.to_string()));
    Ok(text)
}

fn upsd_conf(variables: &Variables<'_>) -> Result<String, String> {
    let address = variables.one("API_ADDRESS")?;
    let port = variables.number("API_PORT", 1)?.unwrap_or(i64::from(PORT));
    if port > 65_535 {
        return Err(format!("API_PORT={port}: write a port from 1 to 65535"));
    }
    // in a container, what may reach the port is said where it is published
    let mut text = match address.as_deref() {
        None | Some("*" | "0.0.0.0") => format!("LISTEN * {port}\n"),
        Some(address) if address.contains(char::is_whitespace) => {
            return Err(format!("API_ADDRESS={address}: write one address"));
        }
        Some(address) => format!("LISTEN {} {port}\n", quoted(address)),
    };
    if let Some(age) = variables.number("MAXAGE", 1)? {
        let _ = writeln!(text, "MAXAGE {age}");
    }
    Ok(text)
}

fn upsd_users(variables: &Variables<'_>) -> Result<String, String> {
    let name = variables.one("API_USER")?;
    let Some(password) = variables.password()? else {
        return match name {
            Some(name) => Err(format!(
                "API_USER={name} has no password: set API_PASSWORD_FILE or API_PASSWORD, or unset API_USER for a server without users"
            )),
            // clients that reach the port may read, and no more
            None => Ok(String::new()),
        };
    };
    let name = name.unwrap_or_else(|| "upsmon".into());
    if !is_name(&name) {
        return Err(format!("API_USER={name}: a name has letters, digits, '-', '_' and '.'"));
    }
    let mut text = format!("[{name}]\n    password = {}\n", quoted(&password));
    for action in words(variables.one("ACTIONS")?) {
        match action.to_ascii_uppercase().as_str() {
            action @ ("SET" | "FSD") => {
                let _ = writeln!(text, "    actions = {action}");
            }
            _ => return Err(format!("ACTIONS: {action} is none: write set, fsd, or both")),
        }
    }
    for command in words(variables.one("INSTCMDS")?) {
        if !is_name(&command) {
            return Err(format!("INSTCMDS: {command} is no command: write all, or names of commands"));
        }
        let _ = writeln!(text, "    instcmds = {command}");
    }
    let role = variables.one("SERVER")?.unwrap_or_else(|| "primary".into());
    match role.as_str() {
        "primary" | "master" => text += "    upsmon primary\n",
        "secondary" | "slave" => text += "    upsmon secondary\n",
        _ => return Err(format!("SERVER={role}: write primary or secondary")),
    }
    Ok(text)
}

fn words(list: Option<String>) -> Vec<String> {
    let list = list.unwrap_or_default();
    list.split([',', ' ']).filter(|word| !word.is_empty()).map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nut::upsd_users::{AllowedAction, Password};

    fn made(rows: &[(&str, &str)]) -> Result<(String, String, String), String> {
        let get = |name: &str| rows.iter().find(|row| row.0 == name).map(|row| OsString::from(row.1));
        match texts(&get, Path::new("/nonexistent"), String::new())? {
            Where::Texts { ups, upsd, users, .. } => Ok((ups, upsd, users)),
            _ => Err("no texts".into()),
        }
    }

    #[test]
    fn without_variables_there_is_one_ups_that_anyone_may_read() {
        let (ups, upsd, users) = made(&[]).unwrap();
        assert_eq!(ups, "[ups]\n    driver = nutdrv_qx\n    port = \"auto\"\n");
        assert_eq!((upsd.as_str(), users.as_str()), ("LISTEN * 3493\n", ""));
    }

    /// As the README of that image has them; NUT's own rules read what comes of it.
    #[test]
    fn variables_of_a_widespread_image_are_taken() {
        let (ups, upsd, users) = made(&[
            ("API_USER", "monitor"),
            ("API_PASSWORD", "a\"b\\c #d"),
            ("ACTIONS", "set,fsd"),
            ("INSTCMDS", "all"),
            ("DESCRIPTION", "the \"big\" one, #2"),
            ("DRIVER", "blazer_usb"),
            ("NAME", "rack"),
            ("POLLINTERVAL", "5"),
            ("PORT", "auto"),
            ("SDORDER", "-1"),
            ("SERIAL", "0000"),
            ("SERVER", "secondary"),
            ("VENDORID", "0665"),
            ("MAXAGE", "25"),
            ("USER", "root"),
        ])
        .unwrap();
        for row in [
            "[rack]",
            "driver = blazer_usb",
            "pollinterval = \"5\"",
            "sdorder = \"-1\"",
            "vendorid = \"0665\"",
        ] {
            assert!(ups.contains(row), "{row}: {ups}");
        }
        let conf = nut::upsd_conf::parse(upsd.as_bytes());
        assert!(conf.listen.len() == 1 && upsd.contains("MAXAGE 25"), "{upsd}");
        let read = nut::upsd_users::parse(users.as_bytes());
        assert!(read.wrong.is_empty() && read.users.len() == 1, "{users}");
        let user = &read.users[0];
        assert_eq!(user.name, "monitor");
        assert!(matches!(&user.password, Some(Password::Plain(plain)) if plain == "a\"b\\c #d"), "{user:?}");
        assert!(
            user.actions.contains(&AllowedAction::Set)
                && user.actions.contains(&AllowedAction::ForceShutdown)
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_name_and_never_the_secret() {
        for (rows, part) in [
            (&[("DRIVER", "usbhid-ups")][..], "DRIVER=usbhid-ups"),
            (&[("NAME", "a b")], "NAME=a b"),
            (&[("NAME", "a"), ("UPS_NAME", "b")], "keep one of them"),
            (&[("PORT", "auto\n[x]")], "PORT has a line's end"),
            (&[("POLLINTERVAL", "0")], "POLLINTERVAL=0"),
            (&[("POLLINTERVAL", "often")], "POLLINTERVAL=often"),
            (&[("API_USER", "x")], "no password"),
            (&[("API_PASSWORD", "x"), ("API_PASSWORD_FILE", "/x")], "keep one of them"),
            (&[("API_PASSWORD_FILE", "/nonexistent/x")], "cannot read /nonexistent/x"),
            (&[("API_PASSWORD", "s3cret"), ("API_USER", "a]\u{20}b")], "API_USER"),
            (&[("API_PASSWORD", "s3cret\n[root]")], "API_PASSWORD has a line's end"),
            (&[("API_PASSWORD", "s3cret"), ("ACTIONS", "reboot")], "ACTIONS"),
            (&[("API_PASSWORD", "s3cret"), ("SERVER", "boss")], "SERVER=boss"),
            (&[("SECRETNAME", "../x")], "SECRETNAME"),
            (&[("API_PORT", "70000")], "API_PORT=70000"),
            (&[("NOTIFYCMD", "/x")], "NOTIFYCMD"),
        ] {
            let said = made(rows).unwrap_err();
            assert!(
                said.contains(part) && !said.contains("s3cret") && !said.contains('\n'),
                "{rows:?}: {said}"
            );
        }
    }

    #[test]
    fn secrets_come_from_files() {
        let folder = std::env::temp_dir().join(format!("qxups-environment-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let users = |rows: &[(&str, String)]| {
            let get = |name: &str| rows.iter().find(|row| row.0 == name).map(|row| OsString::from(&row.1));
            match texts(&get, &folder, String::new()) {
                Ok(Where::Texts { users, .. }) => Ok(users),
                Ok(_) => Err("no texts".into()),
                Err(why) => Err(why),
            }
        };
        assert_eq!(users(&[]), Ok(String::new()));
        std::fs::write(folder.join(SECRET), "of Docker\r\n").unwrap();
        assert!(users(&[]).unwrap().contains("[upsmon]\n    password = \"of Docker\"\n"));
        let other = folder.join("other");
        std::fs::write(&other, "another\n").unwrap();
        let by_file = [("API_PASSWORD_FILE", other.display().to_string())];
        assert!(users(&by_file).unwrap().contains("password = \"another\""));
        std::fs::write(&other, "\n").unwrap();
        assert!(users(&by_file).unwrap_err().contains("is empty"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
