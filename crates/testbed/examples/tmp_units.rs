//! tmp
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]
use std::io::BufRead;
use testbed::units::Units;
fn main() {
    let count = std::env::args().nth(1).unwrap().parse().unwrap();
    let units = Units::start(count);
    let ports: Vec<String> = units.ports.iter().map(|p| p.to_string()).collect();
    println!("{}", ports.join(" "));
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        if line.is_empty() {
            break;
        }
        (0..count).for_each(|n| units.turn(n, &line));
    }
}
