//! Values of objects.

use crate::ber;
use crate::oid::Oid;

/// What an object holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnmpValue {
    /// `INTEGER`, also a named number.
    Integer(i32),
    /// `OCTET STRING`; ASCII where it is a `DisplayString`.
    Text(String),
    /// `OBJECT IDENTIFIER`.
    Name(Oid),
    /// `Counter32`, which wraps.
    Counter(u32),
    /// `Gauge32`.
    Gauge(u32),
    /// `TimeTicks`: hundredths of a second, which wrap.
    Ticks(u32),
    /// No object of that name exists in the MIBs of this agent.
    NoSuchObject,
    /// The object has no value: the UPS does not say it.
    NoSuchInstance,
    /// Nothing follows.
    EndOfView,
}

impl SnmpValue {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mark = |out: &mut Vec<u8>, tag| ber::element(out, tag, |_| ());
        match self {
            SnmpValue::Integer(number) => ber::number(out, ber::INTEGER, (*number).into()),
            SnmpValue::Text(text) => ber::octets(out, text.as_bytes()),
            SnmpValue::Name(oid) => ber::oid(out, oid),
            SnmpValue::Counter(number) => ber::number(out, ber::COUNTER, (*number).into()),
            SnmpValue::Gauge(number) => ber::number(out, ber::GAUGE, (*number).into()),
            SnmpValue::Ticks(number) => ber::number(out, ber::TICKS, (*number).into()),
            SnmpValue::NoSuchObject => mark(out, ber::NO_SUCH_OBJECT),
            SnmpValue::NoSuchInstance => mark(out, ber::NO_SUCH_INSTANCE),
            SnmpValue::EndOfView => mark(out, ber::END_OF_VIEW),
        }
    }
}
