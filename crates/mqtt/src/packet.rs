//! Packets of MQTT 3.1.1 and 5, as far as a publisher with a few subscriptions needs them; `mqtt-proto` knows the bytes.

use crate::fault::MqttFault;
use crate::frames::{LONGEST, WholePacket};
use bytes::Bytes;
use mqtt_proto::{Pid, QoS, QosPid, TopicFilter, TopicName, v3, v5};

/// The version of MQTT that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MqttVersion {
    /// 3.1.1, which every broker speaks.
    #[default]
    V311,
    /// 5.
    V5,
}

/// So many messages that want an acknowledgement a broker may send at once; none does, as nothing is subscribed to so.
const RECEIVES: u16 = 16;

/// A message of a broker.
#[derive(Debug, PartialEq, Eq)]
pub struct BrokerMessage {
    /// Its topic.
    pub topic: String,
    /// What it says.
    pub payload: Vec<u8>,
    /// It was kept by the broker, or is to be kept.
    pub is_retained: bool,
    /// The broker sent it before.
    pub is_repeated: bool,
    /// It wants an acknowledgement with this number.
    pub number: Option<u16>,
}

/// What a broker can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokerLimits {
    /// So many messages may wait for its acknowledgement.
    pub unacknowledged: u16,
    /// The longest packet, in bytes.
    pub longest: u32,
    /// It keeps messages.
    pub retains: bool,
    /// It acknowledges messages.
    pub acknowledges: bool,
    /// Seconds of silence after which it takes the connection for lost, where it is its own word.
    pub keep_alive: Option<u16>,
}

impl Default for BrokerLimits {
    fn default() -> BrokerLimits {
        let (unacknowledged, longest) = (u16::MAX, 268_435_455);
        BrokerLimits { unacknowledged, longest, retains: true, acknowledges: true, keep_alive: None }
    }
}

/// Why a message was not taken.
#[derive(Debug, PartialEq, Eq)]
pub struct TakenNot {
    /// In the broker's or MQTT's words.
    pub why: String,
    /// The same message may be taken later.
    pub may_come_later: bool,
}

/// What a broker says.
#[derive(Debug, PartialEq, Eq)]
pub enum FromBroker {
    /// The connection is taken.
    Welcome(BrokerLimits),
    /// A message came.
    Message(BrokerMessage),
    /// A message was taken; why not, where it was refused.
    Taken(u16, Option<TakenNot>),
    /// A subscription is there; whether a filter was refused.
    Subscribed(u16, bool),
    /// A subscription is gone.
    Unsubscribed(u16),
    /// The broker lives.
    Pong,
}

/// Reads a packet.
///
/// # Errors
/// What is no packet that a broker may send here, or one that ends the connection.
pub fn read(version: MqttVersion, packet: &WholePacket) -> Result<FromBroker, MqttFault> {
    // CONNACK, PUBLISH, PUBACK, SUBACK, UNSUBACK, PINGRESP, and DISCONNECT of MQTT 5: no other is for a client that subscribes as
    // this one does
    let kind = packet.head >> 4;
    let is_expected = matches!(kind, 2 | 3 | 4 | 9 | 11 | 13) || (kind == 14 && version == MqttVersion::V5);
    if !is_expected {
        return Err(MqttFault::Malformed(format!("a packet of kind {kind}")));
    }
    match version {
        MqttVersion::V311 => read_v3(packet),
        MqttVersion::V5 => read_v5(packet),
    }
}

fn read_v3(WholePacket { head, body }: &WholePacket) -> Result<FromBroker, MqttFault> {
    let wrong = |error: mqtt_proto::Error| MqttFault::Malformed(said(&error));
    let length = u32::try_from(body.len()).unwrap_or(LONGEST);
    let header = v3::Header::new_with(*head, length, length).map_err(wrong)?;
    let at = &mut 0;
    Ok(match header.typ {
        v3::PacketType::Connack => match v3::Connack::decode(body, at).map_err(wrong)?.code {
            v3::ConnectReturnCode::Accepted => FromBroker::Welcome(BrokerLimits::default()),
            code => return Err(MqttFault::Refused(in_words(code))),
        },
        v3::PacketType::Publish => {
            let came = v3::Publish::decode(body, at, header).map_err(wrong)?;
            message(&came.topic_name, &came.payload, came.qos_pid, came.retain, came.dup)?
        }
        v3::PacketType::Puback => FromBroker::Taken(number(body)?, None),
        v3::PacketType::Suback => {
            let came = v3::Suback::decode(body, at, header).map_err(wrong)?;
            let is_refused = came.topics.contains(&v3::SubscribeReturnCode::Failure);
            FromBroker::Subscribed(came.pid.value(), is_refused)
        }
        v3::PacketType::Unsuback => FromBroker::Unsubscribed(number(body)?),
        v3::PacketType::Pingresp => FromBroker::Pong,
        _ => return Err(MqttFault::Malformed(format!("a packet of kind {}", head >> 4))),
    })
}

fn read_v5(WholePacket { head, body }: &WholePacket) -> Result<FromBroker, MqttFault> {
    let wrong = |error: v5::ErrorV5| MqttFault::Malformed(said(&error));
    let length = u32::try_from(body.len()).unwrap_or(LONGEST);
    let header = v5::Header::new_with(*head, length, length).map_err(wrong)?;
    let at = &mut 0;
    Ok(match header.typ {
        v5::PacketType::Connack => {
            let came = v5::Connack::decode(body, at, header).map_err(wrong)?;
            if came.reason_code != v5::ConnectReasonCode::Success {
                return Err(MqttFault::Refused(reason(
                    came.reason_code,
                    came.properties.reason_string.as_deref(),
                )));
            }
            welcome(&came.properties)
        }
        v5::PacketType::Publish => {
            let came = v5::Publish::decode(body, at, header).map_err(wrong)?;
            message(&came.topic_name, &came.payload, came.qos_pid, came.retain, came.dup)?
        }
        v5::PacketType::Puback => {
            let came = v5::Puback::decode(body, at, header).map_err(wrong)?;
            let is_taken = matches!(
                came.reason_code,
                v5::PubackReasonCode::Success | v5::PubackReasonCode::NoMatchingSubscribers
            );
            let may_come_later = matches!(
                came.reason_code,
                v5::PubackReasonCode::QuotaExceeded
                    | v5::PubackReasonCode::UnspecifiedError
                    | v5::PubackReasonCode::ImplementationSpecificError
            );
            let why = reason(came.reason_code, came.properties.reason_string.as_deref());
            FromBroker::Taken(came.pid.value(), (!is_taken).then_some(TakenNot { why, may_come_later }))
        }
        v5::PacketType::Suback => {
            let came = v5::Suback::decode(body, at, header).map_err(wrong)?;
            FromBroker::Subscribed(came.pid.value(), came.topics.iter().any(|code| *code as u8 >= 0x80))
        }
        v5::PacketType::Unsuback => FromBroker::Unsubscribed(number(body)?),
        v5::PacketType::Pingresp => FromBroker::Pong,
        v5::PacketType::Disconnect => {
            let came = v5::Disconnect::decode(body, at, header).map_err(wrong)?;
            return Err(MqttFault::Closed(reason(
                came.reason_code,
                came.properties.reason_string.as_deref(),
            )));
        }
        _ => return Err(MqttFault::Malformed(format!("a packet of kind {}", head >> 4))),
    })
}

fn welcome(said: &v5::ConnackProperties) -> FromBroker {
    let default = BrokerLimits::default();
    FromBroker::Welcome(BrokerLimits {
        unacknowledged: said.receive_max.unwrap_or(default.unacknowledged).max(1),
        longest: said.max_packet_size.unwrap_or(default.longest),
        retains: said.retain_available.unwrap_or(true),
        acknowledges: said.max_qos != Some(QoS::Level0),
        keep_alive: said.server_keep_alive,
    })
}

fn message(
    topic: &str,
    payload: &[u8],
    qos: QosPid,
    retain: bool,
    dup: bool,
) -> Result<FromBroker, MqttFault> {
    let number = match qos {
        QosPid::Level0 => None,
        QosPid::Level1(pid) => Some(pid.value()),
        // nothing is subscribed to so
        QosPid::Level2(_) => return Err(MqttFault::Malformed("a message of QoS 2".into())),
    };
    Ok(FromBroker::Message(BrokerMessage {
        topic: topic.into(),
        payload: payload.into(),
        is_retained: retain,
        is_repeated: dup,
        number,
    }))
}

fn number(body: &[u8]) -> Result<u16, MqttFault> {
    match body {
        [high, low, ..] => Ok(u16::from_be_bytes([*high, *low])),
        _ => Err(MqttFault::Malformed("an acknowledgement without a number".into())),
    }
}

/// An error of the codec, as one line of a bounded length.
fn said(error: &impl ToString) -> String {
    bounded(&error.to_string())
}

fn bounded(text: &str) -> String {
    text.chars().take(120).flat_map(char::escape_debug).collect()
}

fn in_words(code: v3::ConnectReturnCode) -> String {
    match code {
        v3::ConnectReturnCode::Accepted => "accepted",
        v3::ConnectReturnCode::UnacceptableProtocolVersion => {
            "it does not speak MQTT 3.1.1; write version = \"5\""
        }
        v3::ConnectReturnCode::IdentifierRejected => "it does not take the name of this client",
        v3::ConnectReturnCode::ServerUnavailable => "it is not available",
        v3::ConnectReturnCode::BadUserNameOrPassword => "user or password are wrong",
        v3::ConnectReturnCode::NotAuthorized => {
            "the user is not allowed to connect, or the password is wrong"
        }
    }
    .into()
}

/// A reason of MQTT 5 in its own words: `NotAuthorized` is "not authorized".
fn reason(code: impl std::fmt::Debug, text: Option<&str>) -> String {
    let name = format!("{code:?}");
    let mut words = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_uppercase() && at > 0 {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    match text.filter(|text| !text.is_empty()) {
        Some(text) => format!("{words} ({})", bounded(text)),
        None => words,
    }
}

/// What is said first.
#[derive(Debug)]
pub struct Greeting<'g> {
    /// The client's name.
    pub client: &'g str,
    /// Seconds of silence after which the broker takes the connection for lost.
    pub keep_alive: u16,
    /// User and password.
    pub user: Option<&'g str>,
    /// The password.
    pub password: Option<&'g [u8]>,
    /// Topic and payload of what the broker says, and keeps, when the connection is lost.
    pub will: (&'g str, &'g str),
}

fn written(packet: Result<mqtt_proto::VarBytes, mqtt_proto::Error>, out: &mut Vec<u8>) {
    // only what is longer than MQTT can say has no bytes; texts are bounded where they are read
    if let Ok(bytes) = packet {
        out.extend_from_slice(bytes.as_ref());
    }
}

/// CONNECT, with a session that begins anew: no order that was given before it can come.
pub fn connect(version: MqttVersion, greeting: &Greeting<'_>, out: &mut Vec<u8>) {
    let (topic, payload) = greeting.will;
    let Ok(topic) = TopicName::try_from(topic) else { return };
    let payload = Bytes::copy_from_slice(payload.as_bytes());
    let password = greeting.password.map(Bytes::copy_from_slice);
    match version {
        MqttVersion::V311 => {
            let mut connect = v3::Connect::new(greeting.client.into(), greeting.keep_alive);
            let mut will = v3::LastWill::new(QoS::Level1, topic, payload);
            will.retain = true;
            connect.last_will = Some(will);
            (connect.username, connect.password) = (greeting.user.map(Into::into), password);
            written(v3::Packet::from(connect).encode(), out);
        }
        MqttVersion::V5 => {
            let mut connect = v5::Connect::new(greeting.client.into(), greeting.keep_alive);
            let mut will = v5::LastWill::new(QoS::Level1, topic, payload);
            will.retain = true;
            connect.last_will = Some(will);
            (connect.username, connect.password) = (greeting.user.map(Into::into), password);
            connect.properties.receive_max = Some(RECEIVES);
            connect.properties.max_packet_size = Some(LONGEST);
            written(v5::Packet::from(connect).encode(), out);
        }
    }
}

/// PUBLISH. With a number it wants to be acknowledged.
pub fn publish(
    version: MqttVersion,
    topic: &str,
    payload: &[u8],
    retain: bool,
    number: Option<u16>,
    out: &mut Vec<u8>,
) {
    let Ok(topic) = TopicName::try_from(topic) else { return };
    let qos = match number.and_then(|number| Pid::try_from(number).ok()) {
        Some(pid) => QosPid::Level1(pid),
        None => QosPid::Level0,
    };
    let payload = Bytes::copy_from_slice(payload);
    match version {
        MqttVersion::V311 => {
            let publish = v3::Publish { retain, ..v3::Publish::new(qos, topic, payload) };
            written(v3::Packet::from(publish).encode(), out);
        }
        MqttVersion::V5 => {
            let publish = v5::Publish { retain, ..v5::Publish::new(qos, topic, payload) };
            written(v5::Packet::from(publish).encode(), out);
        }
    }
}

/// SUBSCRIBE, without acknowledgements: what is sent twice could be done twice. `kept` asks for what the broker keeps.
pub fn subscribe(version: MqttVersion, number: u16, filters: &[String], kept: bool, out: &mut Vec<u8>) {
    let Ok(pid) = Pid::try_from(number) else { return };
    let filters = filters.iter().filter_map(|filter| TopicFilter::try_from(filter.as_str()).ok());
    match version {
        MqttVersion::V311 => {
            let topics = filters.map(|filter| (filter, QoS::Level0)).collect();
            written(v3::Packet::from(v3::Subscribe::new(pid, topics)).encode(), out);
        }
        MqttVersion::V5 => {
            let handling =
                if kept { v5::RetainHandling::SendAtSubscribe } else { v5::RetainHandling::DoNotSend };
            let options = v5::SubscriptionOptions {
                max_qos: QoS::Level0,
                // a last will of an earlier connection counts as a message of this client
                no_local: kept,
                // an order that is to be kept is to be seen as such
                retain_as_published: true,
                retain_handling: handling,
            };
            let topics = filters.map(|filter| (filter, options)).collect();
            written(v5::Packet::from(v5::Subscribe::new(pid, topics)).encode(), out);
        }
    }
}

/// UNSUBSCRIBE.
pub fn unsubscribe(version: MqttVersion, number: u16, filter: &str, out: &mut Vec<u8>) {
    let (Ok(pid), Ok(filter)) = (Pid::try_from(number), TopicFilter::try_from(filter)) else { return };
    match version {
        MqttVersion::V311 => {
            written(v3::Packet::from(v3::Unsubscribe { pid, topics: vec![filter] }).encode(), out);
        }
        MqttVersion::V5 => {
            written(v5::Packet::from(v5::Unsubscribe::new(pid, vec![filter])).encode(), out);
        }
    }
}

/// PUBACK: a message came.
pub fn acknowledge(number: u16, out: &mut Vec<u8>) {
    let [high, low] = number.to_be_bytes();
    // the same in both versions (MQTT 5, 3.4.2.1: no reason is success)
    out.extend([0x40, 2, high, low]);
}

/// PINGREQ.
pub const PING: [u8; 2] = [0xc0, 0];
/// DISCONNECT, without a last will: MQTT 5 as well, where no reason is a normal end.
pub const FAREWELL: [u8; 2] = [0xe0, 0];
