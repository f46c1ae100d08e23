//! The sending end of a channel to another process.

use std::sync::Arc;

use flott_cluster::codec;
use flott_runtime::ChannelKey;
use flott_runtime::connect::{Sender, SenderContext};
use flott_runtime::gate::Element;
use flott_runtime::wire::ElementEncoder;
use flott_types::{Error, Result, Waker};
use parking_lot::{Condvar, Mutex};

use super::CANCEL_CHECK;
use super::connection::Connection;
use super::frames::{Compression, Frame};

/// What its receiver has said to a channel.
#[derive(Default)]
pub(super) struct Outlet {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// It has answered.
    open: bool,
    /// The bytes that may be sent; below 0 by the last batch and by what does not wait for credit. Where
    /// barriers may overtake, a sender that has begun goes on until it is below 0 by the first grant.
    credit: i64,
    /// The first grant.
    granted: i64,
    /// Of a sender that waits for credit before it begins.
    waker: Option<Waker>,
    /// It takes no more.
    closed: bool,
    /// The connection is, and why.
    broken: Option<Arc<str>>,
}

impl Outlet {
    pub fn grant(&self, bytes: u64) {
        self.change(|state| {
            state.credit = state.credit.saturating_add_unsigned(bytes);
            if !std::mem::replace(&mut state.open, true) {
                state.granted = state.credit;
            }
        });
    }

    pub fn close(&self) {
        self.change(|state| state.closed = true);
    }

    pub fn break_off(&self, why: &Arc<str>) {
        self.change(|state| state.broken = Some(why.clone()));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        change(&mut state);
        let ready = state.credit > 0 || state.closed || state.broken.is_some();
        let waker = if ready { state.waker.take() } else { None };
        drop(state);
        self.changed.notify_all();
        waker.iter().for_each(Waker::wake);
    }
}

/// See [`self`].
pub(super) struct RemoteSender {
    connection: Arc<Connection>,
    channel: u32,
    outlet: Arc<Outlet>,
    encoder: ElementEncoder,
    compression: Compression,
    context: SenderContext,
}

impl RemoteSender {
    /// Opens a channel, and waits until its receiver is there.
    pub fn open(
        connection: Arc<Connection>,
        key: &ChannelKey,
        compression: Compression,
        context: &SenderContext,
    ) -> Result<Self> {
        let outlet = Arc::<Outlet>::default();
        let channel = connection.add(outlet.clone());
        let (encoder, context) = (ElementEncoder::default(), context.clone());
        let sender = RemoteSender { connection, channel, outlet, encoder, compression, context };
        // From here on it is closed when it is dropped.
        sender.connection.send(Frame::Open(channel, codec::encode(key)?))?;
        let mut state = sender.outlet.state.lock();
        while !state.open && !state.closed {
            check(&state)?;
            sender.context.cancel.check()?;
            sender.outlet.changed.wait_for(&mut state, CANCEL_CHECK);
        }
        drop(state);
        Ok(sender)
    }
}

impl Sender for RemoteSender {
    fn send(&mut self, element: Element) -> Result<()> {
        // Only batches wait: all other elements are small and few.
        let waits = matches!(element, Element::Batch(_));
        self.push(element, waits)
    }

    fn has_room(&mut self, waker: &Waker) -> Result<bool> {
        let mut state = self.outlet.state.lock();
        check(&state)?;
        let room = state.credit > 0 || state.closed;
        state.waker = (!room).then(|| waker.clone());
        Ok(room)
    }

    fn force(&mut self, element: Element) -> Result<()> {
        self.push(element, false)
    }
}

impl RemoteSender {
    fn push(&mut self, element: Element, waits: bool) -> Result<()> {
        let frame = self.encoder.encode(element)?;
        let SenderContext { cancel, metrics, clock, overtakes } = &self.context;
        {
            let mut state = self.outlet.state.lock();
            let least = if *overtakes { -state.granted } else { 0 };
            if waits && state.credit <= least && !state.closed {
                let start = clock.nanos();
                while state.credit <= least && !state.closed {
                    check(&state)?;
                    cancel.check()?;
                    self.outlet.changed.wait_for(&mut state, CANCEL_CHECK);
                }
                metrics.back_pressured.add(clock.nanos().saturating_sub(start));
            }
            // A receiver that has ended accepts and discards everything.
            if state.closed {
                return Ok(());
            }
            check(&state)?;
            state.credit = state.credit.saturating_sub_unsigned(frame.len() as u64);
        }
        self.connection.send(Frame::data(self.channel, frame, self.compression))
    }
}

impl Drop for RemoteSender {
    fn drop(&mut self) {
        self.connection.remove(self.channel);
        // A broken connection has forgotten the channel already.
        let _ = self.connection.send(Frame::Close(self.channel));
    }
}

fn check(state: &State) -> Result<()> {
    match &state.broken {
        Some(why) => Err(Error::external(why.to_string())),
        None => Ok(()),
    }
}
