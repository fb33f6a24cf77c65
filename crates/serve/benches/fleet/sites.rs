//! The sites: a publisher of `qxups serve` each, whose UPSes say what the world says.

use crate::centre::{PASSWORD, site_name, ups_name};
use mqtt::{AllowedCommands, BrokerSecret, MqttClient, MqttSettings, MqttVersion, TopicTree};
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// Variables of a UPS besides its status, as many as a voltronic has.
const VARIABLES: usize = 45;
/// Values of a UPS at the centre: these, the status, all of them in one, and whether it is there.
pub const VALUES: usize = VARIABLES + 3;
/// Each value is sent once more in so long; docs/fleet.md has five times that.
pub const REPEAT: Duration = Duration::from_secs(120);
/// The first pause of a site that lost its node, and the longest, as `qxups serve` has them.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// What is true.
pub struct World {
    statuses: RefCell<Vec<&'static str>>,
    upses: usize,
    changed: Vec<Notify>,
}

impl World {
    pub fn new(sites: usize, upses: usize) -> World {
        World {
            statuses: RefCell::new(vec!["OL"; sites]),
            upses,
            changed: (0..sites).map(|_| Notify::new()).collect(),
        }
    }

    pub fn status(&self, site: usize, _ups: usize) -> &'static str {
        self.statuses.borrow()[site]
    }

    /// All UPSes of these sites say this from now on.
    pub fn set(&self, sites: Range<usize>, status: &'static str) {
        for site in sites {
            self.statuses.borrow_mut()[site] = status;
            self.changed[site].notify_one();
        }
    }
}

pub struct Sites {
    sites: Vec<Rc<Site>>,
    connections: Rc<RefCell<Vec<Instant>>>,
}

struct Site {
    number: usize,
    world: Rc<World>,
    client: RefCell<MqttClient>,
    began: Instant,
    bytes: Cell<u64>,
    connections: Rc<RefCell<Vec<Instant>>>,
}

impl Sites {
    /// All begin within a second. A site that cannot reach its node tries the next, as with one name for all of them.
    pub fn start(world: &Rc<World>, ports: &[u16; 3]) -> Sites {
        let connections = Rc::new(RefCell::new(vec![]));
        let count = world.statuses.borrow().len();
        let began = Instant::now();
        let site = |number: usize| {
            let settings = MqttSettings {
                version: MqttVersion::V311,
                client: format!("qxups-{}", site_name(number)),
                user: Some(site_name(number)),
                password: Some(BrokerSecret(PASSWORD.into())),
                keep_alive: 30,
                repeat: REPEAT,
                tree: TopicTree { prefix: "qxups".into(), site: site_name(number), discovery: None },
                commands: AllowedCommands::new(vec![]),
            };
            let site = Rc::new(Site {
                number,
                world: world.clone(),
                client: RefCell::new(MqttClient::new(settings)),
                began,
                bytes: Cell::new(0),
                connections: connections.clone(),
            });
            let (here, ports) = (site.clone(), *ports);
            tokio::task::spawn_local(async move {
                sleep(Duration::from_secs(1) * number as u32 / count as u32).await;
                here.run(&ports).await;
            });
            site
        };
        Sites { sites: (0..count).map(site).collect(), connections }
    }

    /// So many are connected, and the broker has all of them.
    pub fn settled(&self) -> usize {
        self.sites.iter().filter(|site| site.client.borrow().is_settled()).count()
    }

    /// Bytes that were sent.
    pub fn sent(&self) -> u64 {
        self.sites.iter().map(|site| site.bytes.get()).sum()
    }

    pub fn most_connections_a_second(&self) -> usize {
        let all = self.connections.borrow();
        let within = |from: &Instant| {
            all.iter().filter(|at| **at >= *from && at.duration_since(*from) < Duration::from_secs(1)).count()
        };
        // the first ones come within a second on purpose
        all.iter().skip(self.sites.len()).map(within).max().unwrap_or_default()
    }
}

impl Site {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn run(&self, ports: &[u16; 3]) {
        let (mut pause, mut node) = (FIRST, self.number);
        let mut noise = self.number as u32 + 1;
        loop {
            let began = Instant::now();
            let _ = self.connected(ports[node % 3]).await;
            self.client.borrow_mut().lost();
            node += 1;
            if began.elapsed() > LONGEST {
                pause = FIRST;
            }
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            sleep(pause.mul_f64(0.5 + f64::from(noise) / f64::from(u32::MAX))).await;
            pause = (pause * 2).min(LONGEST);
        }
    }

    /// What all UPSes of the site say goes to the board.
    fn look(&self) {
        let mut client = self.client.borrow_mut();
        for ups in 0..self.world.upses {
            client.board.update(&ups_name(ups), |update| {
                update.variable("ups.status", self.world.status(self.number, ups), false);
                for number in 0..VARIABLES {
                    update.variable(&format!("battery.{number}.voltage"), "13.52", false);
                }
            });
        }
    }

    async fn connected(&self, port: u16) -> Option<()> {
        let mut stream =
            timeout(Duration::from_secs(10), TcpStream::connect(("127.0.0.1", port))).await.ok()?.ok()?;
        self.connections.borrow_mut().push(Instant::now());
        let _ = stream.set_nodelay(true);
        self.look();
        self.client.borrow_mut().connected(self.now());
        let (mut out, mut piece) = (vec![], [0; 8192]);
        loop {
            self.client.borrow_mut().check(self.now()).ok()?;
            out.clear();
            self.client.borrow_mut().fill(&mut out, self.now());
            if !out.is_empty() {
                self.bytes.set(self.bytes.get() + out.len() as u64);
                timeout(Duration::from_secs(30), stream.write_all(&out)).await.ok()?.ok()?;
                continue;
            }
            let deadline = self.client.borrow().deadline().unwrap_or(self.now() + FIRST);
            tokio::select! {
                read = stream.read(&mut piece) => {
                    let read = read.ok().filter(|read| *read > 0)?;
                    self.client.borrow_mut().received(&piece[..read], self.now()).ok()?;
                }
                () = self.world.changed[self.number].notified() => self.look(),
                () = sleep(deadline.saturating_sub(self.now()).max(Duration::from_millis(1))) => {}
            }
        }
    }
}
