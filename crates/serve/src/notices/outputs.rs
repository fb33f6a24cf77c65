//! The outputs that `qxups.toml` names, with their secrets.

use crate::extras::{
    BrokerPassword, MqttOptions, NoticeTopic, NotifyOptions, OutputKind, OutputOptions, SecretPlace,
    ServerProof,
};
use crate::mqtt::site_of_this_machine;
use link::read_bounded;
use notify::HiddenText;
use notify::output::{
    Attempt, Delivery, DeliveryOutcome, ExecOutput, MqttNoticeOutput, MqttPlan, NoticeOutput, SendmailOutput,
    SmtpOutput, WebhookOutput,
};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use tls::rustls::ClientConfig;
use tls::{Fingerprint, Verify, client_config};

/// A secret is one line.
const LONGEST: u64 = 16 * 1024;
/// Where distributions have the certificates that they take.
const ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// All of them, each with its name and its pace. One that cannot work says why in `hints`, and keeps its notices.
pub(super) fn of(
    options: &NotifyOptions,
    broker: Option<&MqttOptions>,
    folder: &Path,
    hints: &mut Vec<String>,
) -> Vec<(String, u32, Rc<dyn NoticeOutput>)> {
    let each = options.outputs.iter().map(|output| {
        let made = one(output, broker, folder).unwrap_or_else(|why| {
            hints.push(format!("output {}: {why}; its notices wait", output.name));
            Rc::new(BrokenOutput { why, sends_again: !matches!(output.kind, OutputKind::Exec(_)) })
        });
        (output.name.clone(), output.per_minute, made)
    });
    each.collect()
}

fn one(
    output: &OutputOptions,
    broker: Option<&MqttOptions>,
    folder: &Path,
) -> Result<Rc<dyn NoticeOutput>, String> {
    Ok(match &output.kind {
        OutputKind::Mqtt(topic) => {
            let broker = broker.ok_or("there is no broker; write [mqtt] with server = \"HOST:1883\"")?;
            Rc::new(message(&output.name, topic, broker, folder)?)
        }
        OutputKind::Exec(plan) => Rc::new(ExecOutput::new(plan.clone())),
        OutputKind::Sendmail(plan) => Rc::new(SendmailOutput::new(plan.clone())),
        OutputKind::Webhook(plan, place, proof) => {
            let mut plan = (**plan).clone();
            if let Some(place) = place {
                plan.secret = secret(place, folder)?;
            }
            Rc::new(WebhookOutput::new(plan, tls(proof, folder)))
        }
        OutputKind::Smtp(plan, place, proof) => {
            let mut plan = (**plan).clone();
            if let (Some(place), Some((_, password))) = (place, &mut plan.login) {
                *password = secret(place, folder)?;
            }
            Rc::new(SmtpOutput::new(plan, tls(proof, folder)))
        }
    })
}

/// The same broker as that of `[mqtt]`, by a client of another name: a message is acknowledged by itself.
fn message(
    name: &str,
    topic: &NoticeTopic,
    broker: &MqttOptions,
    folder: &Path,
) -> Result<MqttNoticeOutput, String> {
    let NoticeTopic { topic, body, escape, limit } = topic.clone();
    let site = broker.site.clone().unwrap_or_else(site_of_this_machine);
    let password = match &broker.password {
        None => None,
        Some(BrokerPassword::Text(text)) => Some(HiddenText::new(text.0.as_str())),
        Some(BrokerPassword::File(file)) => Some(secret(&SecretPlace(file.clone()), folder)?),
    };
    let proof = broker.ca.clone().map_or(ServerProof::System, ServerProof::File);
    let plan = MqttPlan {
        host: broker.host.clone(),
        port: broker.port,
        version: broker.version,
        // no site has this letter, so it is the name of no other server
        client: format!("qxups-{site}_{name}"),
        user: broker.user.clone(),
        password,
        topic: topic.unwrap_or_else(|| format!("{}/{site}/notice", broker.prefix)),
        body,
        escape,
        limit,
    };
    Ok(MqttNoticeOutput::new(plan, broker.tls.then(|| tls(&proof, folder))))
}

fn secret(SecretPlace(file): &SecretPlace, folder: &Path) -> Result<HiddenText, String> {
    let path = folder.join(file);
    let cannot = |why: String| {
        format!("cannot read {}: {why}; let the server's user read it, and reload", path.display())
    };
    let bytes = read_bounded(&path, LONGEST).map_err(|error| cannot(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| cannot("it is no text".into()))?;
    match text.trim() {
        "" => Err(cannot("it is empty".into())),
        line if line.contains(['\n', '\r', '\0']) => Err(cannot("it has more than one line".into())),
        line => Ok(HiddenText::new(line)),
    }
}

/// By what a server is known. What is wrong with it is said by each attempt that needs it: an address in the clear does not.
fn tls(proof: &ServerProof, folder: &Path) -> Result<Arc<ClientConfig>, String> {
    let verify = match proof {
        ServerProof::File(file) => Verify::Roots(folder.join(file)),
        ServerProof::Fingerprint(text) => {
            Verify::Fingerprint(Fingerprint::parse(text).map_err(|why| why.to_string())?)
        }
        ServerProof::System => {
            let there = ROOTS.iter().map(Path::new).find(|path| path.exists());
            let there = there.ok_or(
                "this system has no certificates of those who sign servers; install ca-certificates, or write ca_file",
            )?;
            Verify::Roots(there.into())
        }
    };
    client_config(&verify, None).map_err(|why| why.to_string())
}

/// An output that cannot work as it is configured: nothing is lost until that is put right.
struct BrokenOutput {
    why: String,
    sends_again: bool,
}

impl NoticeOutput for BrokenOutput {
    fn send<'o>(&'o self, _: &'o Delivery<'o>) -> Attempt<'o> {
        Box::pin(std::future::ready(DeliveryOutcome::not_taken(self.why.clone())))
    }

    fn sends_again(&self) -> bool {
        self.sends_again
    }

    fn about(&self) -> String {
        "not usable as configured".into()
    }
}
