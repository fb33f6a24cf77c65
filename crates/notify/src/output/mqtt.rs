//! A message to a broker of MQTT for each notice: on a connection of its own, with QoS 1, and not kept by the broker. It
//! counts as taken when the broker acknowledges it.

use super::wire::NoticeWire;
use super::{Attempt, Delivery, DeliveryOutcome, NoticeOutput};
use crate::secret::HiddenText;
use crate::template::{NoticeTemplate, PlaceholderEscape};
use ::mqtt::MqttVersion;
use ::mqtt::courier::{CourierOrder, CourierStep, MessageCourier};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use tls::rustls::ClientConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// What is published where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttPlan {
    /// The broker.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The version of MQTT.
    pub version: MqttVersion,
    /// The name of this client, which no other client of the broker has.
    pub client: String,
    /// The user, where the broker wants one.
    pub user: Option<String>,
    /// The password of that user.
    pub password: Option<HiddenText>,
    /// The topic.
    pub topic: String,
    /// What it says.
    pub body: NoticeTemplate,
    /// How places in the body are filled in.
    pub escape: PlaceholderEscape,
    /// All of it takes no longer.
    pub limit: Duration,
}

/// Publishes each notice.
pub struct MqttNoticeOutput {
    plan: MqttPlan,
    /// None: in the clear.
    tls: Option<Result<Arc<ClientConfig>, String>>,
}

impl MqttNoticeOutput {
    /// By this plan; `tls` says by what the broker is known, or why that cannot be; none for a connection in the clear.
    pub fn new(plan: MqttPlan, tls: Option<Result<Arc<ClientConfig>, String>>) -> MqttNoticeOutput {
        MqttNoticeOutput { plan, tls }
    }

    async fn deliver(&self, delivery: &Delivery<'_>) -> DeliveryOutcome {
        let (limit, may_be_taken) = (self.plan.limit, Cell::new(false));
        let late = || format!("the broker takes more than {} s", limit.as_secs());
        let why = match timeout(limit, self.converse(delivery, &may_be_taken)).await {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(why)) => why,
            Err(_) => late(),
        };
        if may_be_taken.get() { DeliveryOutcome::Unknown(why) } else { DeliveryOutcome::not_taken(why) }
    }

    async fn converse(
        &self,
        delivery: &Delivery<'_>,
        may_be_taken: &Cell<bool>,
    ) -> Result<DeliveryOutcome, String> {
        let MqttPlan { host, port, version, client, user, password, topic, body, escape, .. } = &self.plan;
        let payload = body.fill(delivery, &HiddenText::new(""), *escape);
        let mut courier = MessageCourier::new(CourierOrder {
            version: *version,
            client,
            user: user.as_deref(),
            password: password.as_ref().map(HiddenText::reveal),
            topic,
            payload: payload.as_bytes(),
        });
        let mut wire = NoticeWire::connect(host, *port).await?;
        if let Some(tls) = &self.tls {
            wire = wire.secure(tls.clone()?, host).await?;
        }
        send(&mut wire, &courier.greeting()).await?;
        let mut room = [0; 1024];
        loop {
            let bytes = match wire.read(&mut room).await {
                Ok(0) => return Err("the broker closed the connection".into()),
                Ok(length) => &room[..length],
                Err(error) => return Err(format!("the connection to the broker broke: {error}")),
            };
            let step = courier.received(bytes).map_err(|fault| format!("the broker {host}: {fault}"))?;
            may_be_taken.set(courier.may_be_taken());
            match step {
                CourierStep::Wait => {}
                CourierStep::Send(bytes) => send(&mut wire, &bytes).await?,
                CourierStep::Taken(farewell) => {
                    // which no answer is waited for
                    let _ = timeout(Duration::from_millis(200), send(&mut wire, &farewell)).await;
                    return Ok(DeliveryOutcome::Taken);
                }
                CourierStep::Refused(why) => {
                    let why = format!("the broker {host} does not take a message to {topic}: {why}");
                    return Ok(DeliveryOutcome::not_taken(why));
                }
            }
        }
    }
}

async fn send(wire: &mut NoticeWire, bytes: &[u8]) -> Result<(), String> {
    let sent = async {
        wire.write_all(bytes).await?;
        wire.flush().await
    };
    sent.await.map_err(|error: std::io::Error| format!("the connection to the broker broke: {error}"))
}

impl NoticeOutput for MqttNoticeOutput {
    fn send<'o>(&'o self, delivery: &'o Delivery<'o>) -> Attempt<'o> {
        Box::pin(self.deliver(delivery))
    }

    fn sends_again(&self) -> bool {
        true
    }

    fn about(&self) -> String {
        format!("mqtt {}, {}", self.plan.host, self.plan.topic)
    }
}
