//! Simulated units on TCP, in a thread of their own.
use qx::protocols;
use qx::vocabulary::moment::Moment;
use simulator::end::SharedUps;
use simulator::knob::Knob;
use simulator::profile::Profile;
use simulator::script::Script;
use simulator::tcp;
use simulator::trouble::Trouble;
use simulator::ups::{Record, SimulatedUps};
use std::sync::mpsc as std_mpsc;
use tokio::sync::mpsc;
use tokio::task::{LocalSet, spawn_local};

/// What they speak, in turn.
const DIALECTS: [&str; 4] = ["megatec", "mustek", "q1", "voltronic-qs"];

enum Order {
    Turn(usize, String),
    Forget,
    Asked,
}

/// Many units.
pub struct Units {
    /// Where each of them listens.
    pub ports: Vec<u16>,
    orders: mpsc::UnboundedSender<Order>,
    done: std_mpsc::Receiver<Vec<Vec<Moment>>>,
}

impl Units {
    /// Starts so many, of several dialects.
    pub fn start(count: usize) -> Units {
        let (orders, mut waiting) = mpsc::unbounded_channel();
        let (finished, done) = std_mpsc::channel();
        let (say_ports, ports) = std_mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            LocalSet::new().block_on(&runtime, async {
                let (mut units, mut ports) = (vec![], vec![]);
                for number in 0..count {
                    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                    ports.push(listener.local_addr().unwrap().port());
                    let protocol = protocols::named(DIALECTS[number % DIALECTS.len()]).unwrap();
                    let trouble = Trouble::new(number as u64);
                    let ups = SimulatedUps::new(protocol, Profile::default(), trouble, Script::default());
                    let shared = SharedUps::new(ups);
                    units.push(shared.clone());
                    spawn_local(async move { tcp::run(&shared, listener).await });
                }
                say_ports.send(ports).unwrap();
                while let Some(order) = waiting.recv().await {
                    let done = match order {
                        Order::Turn(number, knob) => {
                            let knob = Knob::parse(&knob).unwrap();
                            units[number].with(|ups, now| ups.turn(knob, now));
                            vec![]
                        }
                        Order::Forget => {
                            units.iter().for_each(|unit| unit.with(|ups, _| drop(ups.take_records())));
                            vec![]
                        }
                        Order::Asked => units.iter().map(status_questions).collect(),
                    };
                    finished.send(done).unwrap();
                }
            });
        });
        Units { ports: ports.recv().unwrap(), orders, done }
    }

    fn order(&self, order: Order) -> Vec<Vec<Moment>> {
        self.orders.send(order).ok().unwrap();
        self.done.recv().unwrap()
    }

    /// Turns a knob of one.
    pub fn turn(&self, number: usize, knob: &str) {
        self.order(Order::Turn(number, knob.into()));
    }

    /// The first unit, also at this port, as long as this is kept.
    pub fn forward(&self, port: u16) -> tokio::task::JoinHandle<()> {
        let unit = self.ports[0];
        spawn_local(async move {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
            let (mut driver, _) = listener.accept().await.unwrap();
            let mut unit = tokio::net::TcpStream::connect(("127.0.0.1", unit)).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut driver, &mut unit).await;
        })
    }

    /// Forgets what was asked so far.
    pub fn forget(&self) {
        self.order(Order::Forget);
    }

    /// When each of them was asked for its status since then, by its own clock.
    pub fn asked(&self) -> Vec<Vec<Moment>> {
        self.order(Order::Asked)
    }
}

fn status_questions(unit: &SharedUps) -> Vec<Moment> {
    unit.with(|ups, _| {
        let status: Vec<&str> =
            ups.protocol.queries.iter().filter(|query| query.tells_status()).map(|query| query.ask).collect();
        let records = ups.take_records().into_iter();
        let is_status = |record: &Record| matches!(record, Record::Said { question, .. } if status.contains(&question.as_str()));
        records.filter(|(_, record)| is_status(record)).map(|(at, _)| at).collect()
    })
}
