//! What is asked of a UPS, and in which order: what finds its dialect, then every question of the one that was
//! found. Questions only; a command is never sent. The signs of other dialects are asked on request.

use super::recorder::Recorder;
use link::LinkError;
use qx::detect::{Detection, DetectionStep, ForeignDevice};
use qx::options::Options;
use qx::vocabulary::variable::UPS_ID;
use qx::wire::protocol::Protocol;
use qx::wire::query::{Cadence, Query};

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Surveyed {
    /// The dialect.
    pub protocol: Option<&'static Protocol>,
    /// Or a foreign device, and what it said.
    pub foreign: Option<(ForeignDevice, Vec<u8>)>,
}

/// Looks for the dialect as the driver does, twice if need be. With `silences`, so many questions
/// without any answer are enough.
///
/// # Errors
/// The line failed.
pub async fn find(
    recorder: &mut Recorder,
    options: &Options,
    silences: Option<usize>,
) -> Result<Surveyed, LinkError> {
    let options = Options { first_dialect: recorder.link().dialect(), ..options.clone() };
    for _ in 0..2 {
        let mut detection = Detection::new(options.candidates(), options.flags, options.address);
        loop {
            match detection.step() {
                DetectionStep::Ask(query) => {
                    let recorded = recorder.ask(query.wire(0)).await?;
                    detection.hear(query, recorded.reply);
                }
                DetectionStep::Found(protocol) => {
                    return Ok(Surveyed { protocol: Some(protocol), foreign: None });
                }
                DetectionStep::Foreign(who) => {
                    let said = detection.foreign().map(|(_, said)| said.to_vec()).unwrap_or_default();
                    return Ok(Surveyed { protocol: None, foreign: Some((who, said)) });
                }
                DetectionStep::Nothing => break,
            }
            if silences.is_some_and(|enough| detection.silences() >= enough) {
                break;
            }
        }
        if !detection.anything_heard() {
            break;
        }
    }
    Ok(Surveyed::default())
}

/// Asks for the signs of all dialects that were not asked yet.
///
/// # Errors
/// The line failed.
pub async fn ask_other_signs(recorder: &mut Recorder, options: &Options) -> Result<(), LinkError> {
    for protocol in options.candidates() {
        for sign in protocol.signs {
            once(recorder, sign.query().wire(0)).await?;
        }
    }
    Ok(())
}

/// Asks all that the dialect knows, whether it applies to this unit or not.
///
/// # Errors
/// The line failed.
pub async fn ask_all(
    recorder: &mut Recorder,
    protocol: &'static Protocol,
    options: &Options,
) -> Result<u32, LinkError> {
    let address = address(recorder, protocol).or(options.address).unwrap_or(0);
    for query in protocol.queries {
        once(recorder, query.wire(address)).await?;
    }
    Ok(address)
}

/// Asks for all that changes, where the UPS answers: what the driver asks at every poll, and the rest.
///
/// # Errors
/// The line failed.
pub async fn poll(
    recorder: &mut Recorder,
    protocol: &'static Protocol,
    address: u32,
) -> Result<(), LinkError> {
    let changes = |query: &&&Query| query.cadence != Cadence::Once;
    for query in protocol.queries.iter().filter(changes) {
        let ask = query.wire(address);
        let answered = recorder.exchanges.iter().any(|recorded| {
            recorded.question == ask && recorded.reply.as_deref().is_some_and(|line| query.read(line).is_ok())
        });
        if answered {
            recorder.ask(ask).await?;
        }
    }
    Ok(())
}

async fn once(recorder: &mut Recorder, question: Vec<u8>) -> Result<(), LinkError> {
    if recorder.heard(&question).is_none() {
        recorder.ask(question).await?;
    }
    Ok(())
}

/// The number of the UPS on a shared line, if it said one.
fn address(recorder: &Recorder, protocol: &Protocol) -> Option<u32> {
    let readings = protocol.queries.iter().filter_map(|query| {
        let line = recorder.heard(&query.wire(0))??;
        query.read(line).ok().map(|fit| fit.readings)
    });
    let mut numbers = readings.filter_map(|readings| readings.number(&UPS_ID));
    numbers.next().and_then(|number| u32::try_from(number.whole()).ok())
}
