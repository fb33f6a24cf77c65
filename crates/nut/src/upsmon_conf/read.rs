//! Reading, line by line.

use super::directive::UpsmonDirective;
use super::event::{NotifyFlags, UpsmonEvent};
use super::fault::{UpsmonConfError, UpsmonConfFault, UpsmonConfMatter, UpsmonConfRemark};
use super::place::UpsPlace;
use super::{ShutdownExit, UpsmonConf, UpsmonMonitor};
use crate::words::lines;

/// Reads a file; nothing in it stops the rest.
pub fn parse(text: &[u8]) -> UpsmonConf {
    let mut conf = UpsmonConf::default();
    for line in lines(text) {
        let taken = line.words.map_err(UpsmonConfFault::Words).and_then(|words| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            conf.take(line.number, &words)
        });
        if let Err(fault) = taken {
            conf.wrong.push(UpsmonConfError { line: line.number, fault });
        }
    }
    conf
}

impl UpsmonConf {
    fn take(&mut self, line: usize, words: &[&str]) -> Result<(), UpsmonConfFault> {
        let Some((word, values)) = words.split_first() else { return Ok(()) };
        let Some(directive) = UpsmonDirective::of(word) else {
            let meant = UpsmonDirective::all().find(|directive| directive.word().eq_ignore_ascii_case(word));
            self.remark(line, UpsmonConfMatter::Unknown((*word).into(), meant));
            return Ok(());
        };
        let (needed, used) = directive.words();
        if values.first() == Some(&"=") {
            return Err(UpsmonConfFault::Equals(directive));
        }
        if values.len() < needed {
            // upsmon ends at this one
            let is_old = directive == UpsmonDirective::Monitor && values.len() == 4;
            return Err(if is_old { UpsmonConfFault::NoUser } else { UpsmonConfFault::TooShort(directive) });
        }
        match used {
            Some(used) if values.len() > used => self.remark(line, UpsmonConfMatter::More(directive)),
            None if values.len() > 1 => self.remark(line, UpsmonConfMatter::Arguments(directive)),
            _ => {}
        }
        self.set(directive, line, values)?;
        self.directives.push((directive, line));
        Ok(())
    }

    fn set(
        &mut self,
        directive: UpsmonDirective,
        line: usize,
        values: &[&str],
    ) -> Result<(), UpsmonConfFault> {
        use UpsmonDirective as D;
        let first = values.first().copied().unwrap_or_default();
        let second = values.get(1).copied().unwrap_or_default();
        let all = || values.iter().map(|word| (*word).to_string()).collect();
        match directive {
            D::Monitor => self.monitor(line, values)?,
            D::ShutdownCmd => self.shutdown_command = all(),
            D::NotifyCmd => self.notify_command = all(),
            D::ShutdownExit => self.shutdown_exit = Some(self.exit(line, first)),
            D::NotifyMsg => {
                self.messages.insert(event(directive, first)?, second.into());
            }
            D::NotifyFlag => {
                let event = event(directive, first)?;
                let flags = self.flags_at(line, second);
                self.flags.insert(event, flags);
            }
            D::PowerDownFlag => self.power_down_flag = Some(first.into()),
            D::MinSupplies => self.min_supplies = Some(self.natural(line, directive, first)?),
            D::PollFreq => self.poll_s = Some(self.natural(line, directive, first)?),
            D::PollFreqAlert => self.poll_alert_s = Some(self.natural(line, directive, first)?),
            D::HostSync => self.host_sync_s = Some(self.natural(line, directive, first)?),
            D::DeadTime => self.dead_time_s = Some(self.natural(line, directive, first)?),
            D::FinalDelay => self.final_delay_s = Some(self.natural(line, directive, first)?),
            D::RbWarnTime => self.replace_battery_s = Some(self.natural(line, directive, first)?),
            D::NoCommWarnTime => self.no_comm_s = Some(self.natural(line, directive, first)?),
            D::OffDuration => self.off_duration_s = Some(self.number(line, directive, first)?),
            D::OverDuration => self.over_duration_s = Some(self.number(line, directive, first)?),
            D::OblbDuration => {
                let seconds = self.number(line, directive, first)?;
                self.oblb_duration_s = Some(u32::try_from(seconds).unwrap_or(0));
            }
            // upsmon compares with 1
            D::AlarmCritical => self.alarm_critical = Some(self.number(line, directive, first)? == 1),
            D::PollFailLogThrottleMax | D::CertVerify | D::ForceSsl | D::DebugMin => {
                self.number(line, directive, first)?;
            }
            D::RunAsUser | D::CertPath | D::CertFile | D::CertIdent | D::CertHost => {}
        }
        Ok(())
    }

    fn monitor(&mut self, line: usize, values: &[&str]) -> Result<(), UpsmonConfFault> {
        let [system, value, user, password, role, ..] = values else {
            return Err(UpsmonConfFault::TooShort(UpsmonDirective::Monitor));
        };
        let digits = value.bytes().take_while(u8::is_ascii_digit).count();
        let power_value = value.get(..digits).and_then(|digits| digits.parse().ok());
        let power_value = power_value.ok_or_else(|| UpsmonConfFault::NoPowerValue((*value).into()))?;
        let place = UpsPlace::parse(system).ok_or_else(|| UpsmonConfFault::NoPlace((*system).into()))?;
        if digits < value.len() {
            self.remark(line, UpsmonConfMatter::Partial(UpsmonDirective::Monitor, (*value).into()));
        }
        let is = |words: [&str; 2]| words.iter().any(|word| role.eq_ignore_ascii_case(word));
        let is_primary = is(["primary", "master"]);
        if !is_primary && !is(["secondary", "slave"]) {
            self.remark(line, UpsmonConfMatter::Role((*role).into()));
        }
        if self.monitors.iter().any(|other| other.system == *system) {
            self.remark(line, UpsmonConfMatter::Twice((*system).into()));
            return Ok(());
        }
        let (system, user, password) = ((*system).into(), (*user).into(), (*password).into());
        self.monitors.push(UpsmonMonitor { system, place, power_value, user, password, is_primary, line });
        Ok(())
    }

    fn exit(&mut self, line: usize, value: &str) -> ShutdownExit {
        let any = |words: [&str; 3]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
        if any(["on", "yes", "true"]) {
            return ShutdownExit::AtOnce;
        }
        if any(["off", "no", "false"]) {
            return ShutdownExit::Never;
        }
        match value.parse::<i32>().map(u32::try_from) {
            Ok(Ok(0)) => ShutdownExit::AtOnce,
            Ok(Ok(seconds)) => ShutdownExit::After(seconds),
            Ok(Err(_)) => ShutdownExit::Never,
            Err(_) => {
                self.remark(line, UpsmonConfMatter::NoExit(value.into()));
                ShutdownExit::AtOnce
            }
        }
    }

    fn flags_at(&mut self, line: usize, text: &str) -> NotifyFlags {
        let (flags, others) = NotifyFlags::of(text);
        for other in others {
            self.remark(line, UpsmonConfMatter::NoFlag(other.into()));
        }
        if flags.ignore && (flags.syslog || flags.wall || flags.exec) {
            self.remark(line, UpsmonConfMatter::Ignored);
        }
        flags
    }

    fn natural(
        &mut self,
        line: usize,
        directive: UpsmonDirective,
        value: &str,
    ) -> Result<u32, UpsmonConfFault> {
        let number = self.number(line, directive, value)?;
        u32::try_from(number).map_err(|_| UpsmonConfFault::NoNumber(directive, value.into()))
    }

    /// As `atoi` of C reads it: what follows the digits is passed over. DEBUG_MIN is read more strictly.
    fn number(
        &mut self,
        line: usize,
        directive: UpsmonDirective,
        value: &str,
    ) -> Result<i32, UpsmonConfFault> {
        let unsigned = value.strip_prefix(['-', '+']).unwrap_or(value);
        let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
        let end = value.len() - unsigned.len() + digits;
        let is_whole = end == value.len();
        let number = value.get(..end).and_then(|number| number.parse::<i32>().ok());
        let number = number.filter(|number| *number >= directive.least());
        let number = number.filter(|_| is_whole || directive != UpsmonDirective::DebugMin);
        if number.is_some() && !is_whole {
            self.remark(line, UpsmonConfMatter::Partial(directive, value.into()));
        }
        number.ok_or_else(|| UpsmonConfFault::NoNumber(directive, value.into()))
    }

    fn remark(&mut self, line: usize, matter: UpsmonConfMatter) {
        self.remarks.push(UpsmonConfRemark { line, matter });
    }
}

fn event(directive: UpsmonDirective, word: &str) -> Result<UpsmonEvent, UpsmonConfFault> {
    UpsmonEvent::named(word).ok_or_else(|| UpsmonConfFault::NoEvent(directive, word.into()))
}
