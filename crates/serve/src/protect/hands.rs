//! What the machine asks for is done, in its order. Without `arm` nothing of it is done, whatever the machine asks for; but where
//! a load may go off by an order from when it was armed, this host still goes down before that.

use super::keep::RecordKeeper;
use super::{Protector, orders, programs, sentence, state, wake};
use crate::notices::NoticeDesk;
use crate::server::Server;
use ::protect::{OrderOutcome, ProtectAction, ProtectEvent, Remark};
use history::EventKind;
use notify::{NoticeKind, UpsNotice};
use station::log::Log;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// What is done, and by what.
pub(super) struct Hands {
    todo: mpsc::UnboundedSender<ProtectAction>,
    task: AbortHandle,
}

/// What it is done with.
struct Workbench {
    protector: Weak<Protector>,
    server: Weak<Server>,
    notices: Rc<NoticeDesk>,
    keeper: RecordKeeper,
    /// Where the flag of `qxups killpower` lies.
    state: PathBuf,
    log: Log,
}

impl Hands {
    /// Must be called inside of a tokio `LocalRuntime`.
    pub fn new(
        protector: Weak<Protector>,
        server: &Rc<Server>,
        notices: Rc<NoticeDesk>,
        keeper: RecordKeeper,
        state: &Path,
    ) -> Hands {
        let bench = Workbench {
            protector,
            server: Rc::downgrade(server),
            notices,
            keeper,
            state: state.into(),
            log: server.log.clone(),
        };
        let (todo, mut actions) = mpsc::unbounded_channel();
        let task = tokio::task::spawn_local(async move {
            while let Some(action) = actions.recv().await {
                bench.act(action).await;
            }
        });
        Hands { todo, task: task.abort_handle() }
    }

    /// These are done, after those before.
    pub fn take(&self, actions: Vec<ProtectAction>) {
        for action in actions {
            // it is there as long as the protector is
            let _ = self.todo.send(action);
        }
    }

    /// Nothing more is done.
    pub fn end(&self) {
        self.task.abort();
    }
}

impl Workbench {
    async fn act(&self, action: ProtectAction) {
        let (Some(protector), Some(server)) = (self.protector.upgrade(), self.server.upgrade()) else {
            return;
        };
        // the machine says it as well; this is what the promise of arm rests on
        if action.is_acting() && !protector.may_act() {
            return self.say_would(&server, &action);
        }
        if let (ProtectAction::Order { ups, .. }, false) = (&action, protector.options.borrow().arm) {
            let (ups, outcome) = (ups.clone(), OrderOutcome::NotSent);
            self.say_would(&server, &action);
            return protector.came(ProtectEvent::Ordered { ups, outcome });
        }
        match action {
            ProtectAction::Keep(record) => {
                if let Err(why) = self.keeper.keep(record.to_text()).await {
                    self.log.warning(&format!(
                        "protect: {why}; a start of this machine in the outage would not know of it"
                    ));
                }
            }
            ProtectAction::Say(remark) => self.say(&protector, &server, remark),
            ProtectAction::Would(action) => self.say_would(&server, &action),
            ProtectAction::Signal { group, stage, signal } => {
                self.did(
                    &server,
                    &sentence(&ProtectAction::Signal { group: group.clone(), stage: stage.clone(), signal }),
                );
                if let Some(id) = protector.id_of(&group, &stage) {
                    server.views.show(id, signal);
                }
            }
            ProtectAction::Run { group, stage, program } => {
                self.run(&protector, &server, group, stage, program)
            }
            ProtectAction::Webhook { group, stage, webhook } => {
                self.send(&protector, &group, &stage, webhook);
            }
            ProtectAction::Order { ups, delay, attempt } => {
                self.did(&server, &sentence(&ProtectAction::Order { ups: ups.clone(), delay, attempt }));
                protector.ordered.borrow_mut().insert(ups.to_ascii_lowercase(), super::clock::since_boot());
                let (protector, server) = (self.protector.clone(), server.clone());
                tokio::task::spawn_local(async move {
                    let outcome = orders::switch_off(&server, &ups, delay).await;
                    if let Some(protector) = protector.upgrade() {
                        protector.came(ProtectEvent::Ordered { ups, outcome });
                    }
                });
            }
            ProtectAction::SecondChance { upses } => {
                let done = state::second_chance(&self.state, &upses);
                match done {
                    Err(why) => {
                        self.log.warning(&format!("protect: {why}"));
                        server.note_event(EventKind::Protection, None, &why);
                    }
                    Ok(()) if upses.is_empty() => {}
                    Ok(()) => self.did(&server, &sentence(&ProtectAction::SecondChance { upses })),
                }
            }
            ProtectAction::HostDown => self.shut_host_down(&protector, &server),
            ProtectAction::Wake { group, host, mac, attempt } => {
                let to = protector.wake_to(&group, &host);
                let said = sentence(&ProtectAction::Wake { group, host: host.clone(), mac, attempt });
                match wake::send(mac, to).await {
                    Ok(()) => self.did(&server, &said),
                    Err(why) => self.log.warning(&format!("protect: cannot wake {host}: {why}")),
                }
            }
        }
    }

    fn did(&self, server: &Server, what: &str) {
        self.log.warning(&format!("protect: {what}"));
        server.note_event(EventKind::Protection, None, what);
    }

    fn say_would(&self, server: &Server, action: &ProtectAction) {
        // a record of what was not done is none, and taking away what is not there is nothing
        let is_nothing = matches!(action, ProtectAction::Keep(_) | ProtectAction::Say(_))
            || matches!(action, ProtectAction::Signal { signal: None, .. })
            || matches!(action, ProtectAction::SecondChance { upses } if upses.is_empty());
        if !is_nothing {
            let text = format!("would {} (not armed)", sentence(action));
            self.log.info(&format!("protect: {text}"));
            server.note_event(EventKind::Protection, None, &text);
        }
    }

    fn say(&self, protector: &Protector, server: &Server, remark: Remark) {
        let of = remark.group.as_ref().map(|group| format!("group {group}: ")).unwrap_or_default();
        let why = remark.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let why = if remark.text.contains(why.trim_matches([' ', '(', ')'])) { String::new() } else { why };
        let text = format!("{of}{}{why}", remark.text);
        match remark.alarm {
            true => self.log.warning(&format!("protect: {text}")),
            false => self.log.info(&format!("protect: {text}")),
        }
        server.note_event(EventKind::Protection, None, &text);
        protector.remember(remark);
    }

    fn run(&self, protector: &Rc<Protector>, server: &Server, group: String, stage: String, program: usize) {
        let Some(plan) = protector.program(&group, &stage, program) else { return };
        let shown = plan.command.first().cloned().unwrap_or_default();
        self.did(server, &format!("run {shown} for stage {stage} of group {group}"));
        let (protector, log) = (self.protector.clone(), self.log.clone());
        tokio::task::spawn_local(async move {
            let ended =
                programs::run(&plan.command, plan.limit, &[("QXUPS_GROUP", &group), ("QXUPS_STAGE", &stage)])
                    .await;
            let code = match ended {
                Ok(0) => Some(0),
                Ok(code) => {
                    log.warning(&format!("protect: {shown} of stage {stage} ended with {code}"));
                    Some(code)
                }
                Err(why) => {
                    log.warning(&format!("protect: {shown} of stage {stage} {why}"));
                    None
                }
            };
            if let Some(protector) = protector.upgrade() {
                protector.came(ProtectEvent::ProgramEnded { group, stage, program, code });
            }
        });
    }

    fn send(&self, protector: &Protector, group: &str, stage: &str, webhook: usize) {
        let Some(output) = protector.output(group, stage, webhook) else { return };
        let (ups, status) = protector.first_ups(group);
        let at_ms = crate::chronicle::wall_ms();
        let notice = UpsNotice {
            id: String::new(),
            rule: format!("protect {group}"),
            ups,
            kind: NoticeKind::Began,
            notify_type: "SHUTDOWN".into(),
            at_ms,
            since_ms: at_ms,
            title: format!("Stage {stage} of {group} goes down"),
            text: format!("Protection shuts down stage {stage} of group {group}."),
            status,
        };
        if !self.notices.submit(notice, &output) {
            self.log.warning(&format!("protect: notice for {output} was not sent: notifications are off"));
        }
    }

    fn shut_host_down(&self, protector: &Rc<Protector>, server: &Server) {
        let Some(way) = protector.options.borrow().host.as_ref().map(|host| host.shutdown.clone()) else {
            return;
        };
        self.did(server, "shut this host down");
        let (protector, log) = (self.protector.clone(), self.log.clone());
        tokio::task::spawn_local(async move {
            let done = programs::shut_down(&way).await;
            if let Err(why) = &done {
                log.warning(&format!("protect: this host was not shut down: {why}"));
            }
            if let Some(protector) = protector.upgrade() {
                protector.came(ProtectEvent::HostShutdown { done: done.is_ok() });
            }
        });
    }
}
