//! Datagrams with the address that they came to: a host of several addresses answers from the one that was asked, as managers
//! take an answer of no other.

use nix::cmsg_space;
use nix::libc::{in_addr, in_pktinfo, in6_pktinfo};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, SockaddrStorage, bind,
    recvmsg, sendmsg, setsockopt, socket, sockopt,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Which of its addresses this host was asked by.
#[derive(Clone, Copy, Debug)]
pub(super) enum AskedAddress {
    V4(in_pktinfo),
    V6(in6_pktinfo),
}

/// Opens a socket, of one family only.
pub(super) fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(family, SockType::Datagram, flags, None)?;
    if address.is_ipv6() {
        setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
        setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
    } else {
        setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
    }
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    UdpSocket::from_std(socket.into())
}

/// Reads one that is there: its length, from where it comes, and to which address it came.
///
/// # Errors
/// What the system says; `WouldBlock` where none is there.
pub(super) fn receive(
    socket: &UdpSocket,
    room: &mut [u8],
) -> io::Result<(usize, SocketAddr, Option<AskedAddress>)> {
    socket.try_io(Interest::READABLE, || {
        let mut pieces = [IoSliceMut::new(room)];
        let mut control = cmsg_space!(in6_pktinfo, in_pktinfo);
        let flags = MsgFlags::MSG_DONTWAIT;
        let came = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut pieces, Some(&mut control), flags)?;
        let from = came.address.as_ref().and_then(address_of).ok_or(io::ErrorKind::InvalidData)?;
        let asked = came.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::Ipv4PacketInfo(info) => Some(AskedAddress::V4(info)),
            ControlMessageOwned::Ipv6PacketInfo(info) => Some(AskedAddress::V6(info)),
            _ => None,
        });
        Ok((came.bytes, from, asked))
    })
}

/// Sends one at once, or not at all.
///
/// # Errors
/// What the system says.
pub(super) fn send(
    socket: &UdpSocket,
    bytes: &[u8],
    to: SocketAddr,
    from: Option<AskedAddress>,
) -> io::Result<()> {
    let (pieces, to) = ([IoSlice::new(bytes)], SockaddrStorage::from(to));
    let (fd, flags) = (socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
    // which way it goes is the system's
    match from {
        Some(AskedAddress::V4(asked)) => {
            let own = in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: asked.ipi_spec_dst,
                ipi_addr: in_addr { s_addr: 0 },
            };
            sendmsg(fd, &pieces, &[ControlMessage::Ipv4PacketInfo(&own)], flags, Some(&to))
        }
        Some(AskedAddress::V6(asked)) => {
            let is_of_link = asked.ipi6_addr.s6_addr[0] == 0xfe && asked.ipi6_addr.s6_addr[1] & 0xc0 == 0x80;
            let ipi6_ifindex = if is_of_link { asked.ipi6_ifindex } else { 0 };
            let own = in6_pktinfo { ipi6_addr: asked.ipi6_addr, ipi6_ifindex };
            sendmsg(fd, &pieces, &[ControlMessage::Ipv6PacketInfo(&own)], flags, Some(&to))
        }
        None => sendmsg(fd, &pieces, &[], flags, Some(&to)),
    }?;
    Ok(())
}

fn address_of(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = || address.as_sockaddr_in().map(|address| SocketAddrV4::from(*address).into());
    let v6 = || address.as_sockaddr_in6().map(|address| SocketAddrV6::from(*address).into());
    v4().or_else(v6)
}
