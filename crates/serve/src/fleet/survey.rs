//! What can be set and commanded at a UPS of another server: asked one request at a time, so that its data is read in
//! between.

use super::line::UpstreamLine;
use super::mirror::is_name;
use nut::driver_lines::DriverLine;
use nut::network::ErrorWord;
use nut::network::client::{About, Answer, Having, Item, NetworkRequest, Refusal, Values};
use std::collections::VecDeque;

/// One round of requests.
pub(crate) struct Survey {
    ups: String,
    requests: VecDeque<NetworkRequest>,
    found: Vec<DriverLine>,
}

/// Where a survey stands after a request.
pub(crate) enum Stand {
    /// Requests are left.
    Going,
    /// What can be set and commanded, as a driver would say it.
    Found(Vec<DriverLine>),
    /// The UPS has no data now, so the server cannot say it.
    NoData,
}

impl Survey {
    pub fn new(ups: &str) -> Survey {
        let requests =
            [Having::Commands, Having::Writables].map(|having| NetworkRequest::List(having, ups.to_string()));
        Survey { ups: ups.to_string(), requests: requests.into(), found: vec![] }
    }

    /// One request and its answer.
    pub async fn step(&mut self, line: &mut UpstreamLine) -> Result<Stand, String> {
        if let Some(request) = self.requests.pop_front() {
            let (items, answer) = line.ask(request.clone()).await?;
            if answer.as_ref().is_err_and(has_no_data) {
                return Ok(Stand::NoData);
            }
            self.take(request, items, answer);
        }
        Ok(if self.requests.is_empty() {
            Stand::Found(std::mem::take(&mut self.found))
        } else {
            Stand::Going
        })
    }

    fn take(&mut self, request: NetworkRequest, items: Vec<Item>, answer: Result<Answer, Refusal>) {
        if let (NetworkRequest::Get(About::Type, _, variable), Ok(Answer::Type(kind))) = (&request, answer) {
            self.found.push(DriverLine::SetFlags {
                variable: variable.clone(),
                writable: kind.writable,
                string: kind.text.is_some(),
                number: kind.number,
            });
            if let Some(length) = kind.text {
                self.found.push(DriverLine::SetAux { variable: variable.clone(), length });
            }
            for (has, values) in [(kind.choices, Values::Choices), (kind.ranges, Values::Ranges)] {
                if has {
                    self.requests.push_back(NetworkRequest::ListValues(
                        values,
                        self.ups.clone(),
                        variable.clone(),
                    ));
                }
            }
        }
        for item in items {
            match (&request, item) {
                (_, Item::Command(name)) => self.found.push(DriverLine::AddCmd(name)),
                // no request could carry another
                (NetworkRequest::List(Having::Writables, ups), Item::Variable { name, .. })
                    if is_name(&name) =>
                {
                    self.requests.push_back(NetworkRequest::Get(About::Type, ups.clone(), name));
                }
                (NetworkRequest::ListValues(_, _, variable), item) => {
                    self.found.extend(value_line(variable, item))
                }
                _ => {}
            }
        }
    }
}

fn has_no_data(refusal: &Refusal) -> bool {
    matches!(refusal.word, Some(ErrorWord::DataStale | ErrorWord::DriverNotConnected))
}

fn value_line(variable: &str, item: Item) -> Option<DriverLine> {
    let variable = variable.to_string();
    match item {
        Item::Choice(value) => Some(DriverLine::AddEnum { variable, value }),
        Item::Range { least, most } => {
            Some(DriverLine::AddRange { variable, least: least.parse().ok()?, most: most.parse().ok()? })
        }
        _ => None,
    }
}
