//! Wake-on-LAN: six bytes of ones, and the address sixteen times (AMD, Magic Packet Technology, 1995).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::UdpSocket;

/// So often the packet goes out: nothing acknowledges it.
const TIMES: usize = 3;

/// The packet for this address.
fn packet(mac: [u8; 6]) -> Vec<u8> {
    let mut packet = vec![0xff; 6];
    (0..16).for_each(|_| packet.extend_from_slice(&mac));
    packet
}

/// Sends it.
///
/// # Errors
/// What the system says.
pub(super) async fn send(mac: [u8; 6], to: SocketAddr) -> Result<(), String> {
    let from = match to {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let cannot = |error: std::io::Error| format!("cannot send to {to}: {error}");
    let socket = UdpSocket::bind(from).await.map_err(cannot)?;
    socket.set_broadcast(true).map_err(cannot)?;
    for _ in 0..TIMES {
        socket.send_to(&packet(mac), to).await.map_err(cannot)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packet_is_that_of_the_paper() {
        let packet = packet([2, 0, 0x5e, 0x10, 0, 1]);
        assert_eq!((packet.len(), &packet[..8]), (102, &[255, 255, 255, 255, 255, 255, 2, 0][..]));
        assert_eq!(&packet[96..], [2, 0, 0x5e, 0x10, 0, 1]);
    }
}
