//! One message to a broker on a connection of its own, acknowledged: a state machine, bytes in and bytes out.
//!
//! Until [`MessageCourier::may_be_taken`] the message certainly was not taken.

use crate::fault::MqttFault;
use crate::frames::FrameReader;
use crate::packet::{self, BrokerLimits, FAREWELL, FromBroker, Greeting, MqttVersion};

/// The number of the only message.
const NUMBER: u16 = 1;
/// Seconds of silence after which the broker ends the connection: longer than any delivery takes.
const KEEP_ALIVE: u16 = 900;

/// To whom, as whom, and what.
#[derive(Clone, Copy, Debug)]
pub struct CourierOrder<'o> {
    /// The version of MQTT.
    pub version: MqttVersion,
    /// The name of this client, which no other client of the broker has.
    pub client: &'o str,
    /// The user, where the broker wants one.
    pub user: Option<&'o str>,
    /// The password of that user.
    pub password: Option<&'o str>,
    /// Where the message goes.
    pub topic: &'o str,
    /// What it says.
    pub payload: &'o [u8],
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum CourierStep {
    /// These bytes are to be sent, and an answer waited for.
    Send(Vec<u8>),
    /// More is to be read.
    Wait,
    /// The broker has the message. These bytes are a farewell.
    Taken(Vec<u8>),
    /// The broker does not take the message: why.
    Refused(String),
}

/// One message on its way.
#[derive(Debug)]
pub struct MessageCourier<'o> {
    order: CourierOrder<'o>,
    frames: FrameReader,
    is_sent: bool,
}

impl<'o> MessageCourier<'o> {
    /// One that was not sent yet.
    pub fn new(order: CourierOrder<'o>) -> MessageCourier<'o> {
        MessageCourier { order, frames: FrameReader::default(), is_sent: false }
    }

    /// What is sent first.
    pub fn greeting(&self) -> Vec<u8> {
        let CourierOrder { version, client, user, password, .. } = self.order;
        let password = password.map(str::as_bytes);
        let greeting = Greeting { client, keep_alive: KEEP_ALIVE, user, password, will: None };
        let mut out = vec![];
        packet::connect(version, &greeting, &mut out);
        out
    }

    /// Whether the broker may have taken the message, so that it is not to be called lost.
    pub fn may_be_taken(&self) -> bool {
        self.is_sent
    }

    /// Bytes came. What stands behind the step that they come to is not read.
    ///
    /// # Errors
    /// What ends the connection.
    pub fn received(&mut self, mut bytes: &[u8]) -> Result<CourierStep, MqttFault> {
        let Some(whole) = self.frames.take(&mut bytes)? else { return Ok(CourierStep::Wait) };
        match packet::read(self.order.version, &whole)? {
            FromBroker::Welcome(limits) if !self.is_sent => Ok(self.publish(limits)),
            FromBroker::Taken(NUMBER, None) if self.is_sent => Ok(CourierStep::Taken(FAREWELL.into())),
            FromBroker::Taken(NUMBER, Some(not)) if self.is_sent => Ok(CourierStep::Refused(not.why)),
            // nothing is subscribed to, and nothing else was sent
            _ => Err(MqttFault::Malformed(format!("an answer to nothing, of kind {}", whole.head >> 4))),
        }
    }

    fn publish(&mut self, limits: BrokerLimits) -> CourierStep {
        let mut out = vec![];
        let CourierOrder { version, topic, payload, .. } = self.order;
        packet::publish(version, topic, payload, false, Some(NUMBER), &mut out);
        if !limits.acknowledges {
            return CourierStep::Refused("it acknowledges no message (QoS 1)".into());
        }
        if out.is_empty() || out.len() > limits.longest as usize {
            return CourierStep::Refused("the message is longer than it takes".into());
        }
        self.is_sent = true;
        CourierStep::Send(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(version: MqttVersion) -> CourierOrder<'static> {
        let (user, password) = (Some("ups"), Some("pw"));
        CourierOrder { version, client: "qxups-a_b", user, password, topic: "q/a/notice", payload: b"hi" }
    }

    /// The bytes of MQTT 3.1.1, sections 3.1, 3.2, 3.3, 3.4 and 3.14, by hand.
    #[test]
    fn a_message_is_sent_once_the_broker_takes_the_connection_and_done_once_it_is_acknowledged() {
        let mut courier = MessageCourier::new(order(MqttVersion::V311));
        let greeting = b"\x10\x1e\0\x04MQTT\x04\xc2\x03\x84\0\x09qxups-a_b\0\x03ups\0\x02pw";
        assert_eq!(courier.greeting(), greeting);
        assert_eq!(courier.received(&[0x20]), Ok(CourierStep::Wait));
        assert!(!courier.may_be_taken());
        let publish = b"\x32\x10\0\x0aq/a/notice\0\x01hi".to_vec();
        assert_eq!(courier.received(&[2, 0, 0]), Ok(CourierStep::Send(publish)));
        assert!(courier.may_be_taken());
        assert_eq!(courier.received(&[0x40, 2, 0]), Ok(CourierStep::Wait));
        assert_eq!(courier.received(&[1]), Ok(CourierStep::Taken(vec![0xe0, 0])));
    }

    #[test]
    fn what_a_broker_refuses_is_refused_and_what_is_no_answer_ends_it() {
        // bad user name or password
        let mut courier = MessageCourier::new(order(MqttVersion::V311));
        assert!(matches!(courier.received(&[0x20, 2, 0, 4]), Err(MqttFault::Refused(_))));
        // another number, an acknowledgement before the message, a second welcome
        let mut courier = MessageCourier::new(order(MqttVersion::V311));
        assert!(courier.received(&[0x40, 2, 0, 1]).is_err());
        let mut courier = MessageCourier::new(order(MqttVersion::V311));
        courier.received(&[0x20, 2, 0, 0]).unwrap();
        assert!(courier.received(&[0x40, 2, 0, 2]).is_err());
        let mut courier = MessageCourier::new(order(MqttVersion::V311));
        courier.received(&[0x20, 2, 0, 0]).unwrap();
        assert!(courier.received(&[0x20, 2, 0, 0]).is_err() && courier.may_be_taken());
        // MQTT 5: not authorized (0x87); a broker without QoS 1 (property 0x24); packets of 10 bytes at most (0x27)
        let mut courier = MessageCourier::new(order(MqttVersion::V5));
        courier.received(&[0x20, 3, 0, 0, 0]).unwrap();
        assert_eq!(
            courier.received(&[0x40, 4, 0, 1, 0x87, 0]),
            Ok(CourierStep::Refused("not authorized".into()))
        );
        for properties in [&[2, 0x24, 0][..], &[5, 0x27, 0, 0, 0, 10]] {
            let mut courier = MessageCourier::new(order(MqttVersion::V5));
            let length = u8::try_from(2 + properties.len()).unwrap();
            let welcome = [&[0x20, length, 0, 0][..], properties].concat();
            assert!(matches!(courier.received(&welcome), Ok(CourierStep::Refused(_))), "{properties:?}");
            assert!(!courier.may_be_taken());
        }
    }
}
