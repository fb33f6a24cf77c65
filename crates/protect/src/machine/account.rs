//! What the machine says of itself: its report, and its record.

use super::{Machine, OrderState};
use crate::record::{KeptCourse, KeptStage, KeptSupply};
use crate::{GroupReport, HostReport, OrderReport, Phase, ProtectRecord, ProtectReport, StageReport};

impl Machine {
    /// Where protection stands.
    pub fn report(&self) -> ProtectReport {
        let groups = (0..self.courses.len()).map(|group| self.group_report(group)).collect();
        ProtectReport { armed: self.policy.armed, groups }
    }

    fn group_report(&self, group: usize) -> GroupReport {
        let course = &self.courses[group];
        let standing = self.standing(group);
        let stages = course.plan.stages.iter().zip(&course.stages).map(|(plan, state)| StageReport {
            name: plan.name.clone(),
            began: state.began,
            over: state.over,
            logins: state.logins.as_ref().map_or(0, Vec::len),
        });
        let orders = course.plan.feeds.iter().filter_map(|feed| {
            let order = self.supplies.get(&feed.ups)?.order.as_ref()?;
            Some(OrderReport {
                ups: feed.ups.clone(),
                sent: (order.state != OrderState::HookOnly).then_some(order.sent),
                accepted: order.state == OrderState::Accepted,
                proven: order.proven,
            })
        });
        let down = course.down.iter().filter(|host| !host.up).map(|host| HostReport {
            host: host.target.host.clone(),
            woken: host.woken,
            given_up: host.given_up,
        });
        GroupReport {
            name: course.plan.name.clone(),
            phase: course.phase,
            reason: course.reason.clone(),
            since: (course.phase != Phase::Watching).then_some(course.since),
            supplies: (standing.live, standing.need),
            stages: stages.collect(),
            orders: orders.collect(),
            down: down.collect(),
        }
    }

    /// What is to outlive the process, as of now.
    pub fn record(&self) -> ProtectRecord {
        let courses = self.courses.iter().enumerate().filter(|(_, course)| course.has_something_to_do());
        let courses = courses.map(|(at, course)| KeptCourse {
            group: course.plan.name.clone(),
            phase: course.phase,
            since: course.since,
            phase_at: course.phase_at,
            armed: course.armed,
            on_battery: self.standing(at).is_short_now(),
            waited: course.waited,
            stages: course
                .plan
                .stages
                .iter()
                .zip(&course.stages)
                .filter(|(_, state)| state.is_told())
                .map(|(plan, state)| KeptStage {
                    stage: plan.name.clone(),
                    began: state.began.unwrap_or_default(),
                    over: state.over,
                    gone: state.gone,
                    running: state.running.clone(),
                })
                .collect(),
            down: course.down.clone(),
        });
        let supplies = self.supplies.iter().map(|(name, supply)| KeptSupply {
            ups: name.clone(),
            unit: supply.unit.clone(),
            time: supply.kept_time(),
            order: supply.order.clone(),
        });
        ProtectRecord {
            boot: self.start.boot.clone(),
            at: self.now,
            wall_s: self.start.wall_s.saturating_add((self.now - self.start.now).as_secs()),
            armed: self.policy.armed,
            courses: courses.collect(),
            supplies: supplies.filter(|kept| kept.time.is_some() || kept.order.is_some()).collect(),
            host: self.host.clone(),
        }
    }
}
