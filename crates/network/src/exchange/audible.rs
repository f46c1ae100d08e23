//! A reader that fails when nothing has come for a while. It is the silence that counts, and not how long a frame
//! takes: a long one over a slow network is under way as long as parts of it come.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// See [`self`].
pub(super) struct Audible<R> {
    from: R,
    silent_for: Duration,
    /// The end of the silence, while there is one.
    end: Pin<Box<Sleep>>,
    is_silent: bool,
}

impl<R: AsyncRead + Unpin> Audible<R> {
    /// Fails after this long without a byte.
    pub fn new(from: R, silent_for: Duration) -> Self {
        Audible { from, silent_for, end: Box::pin(sleep(silent_for)), is_silent: false }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Audible<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Poll::Ready(read) = Pin::new(&mut this.from).poll_read(context, into) {
            this.is_silent = false;
            return Poll::Ready(read);
        }
        if !this.is_silent {
            this.is_silent = true;
            this.end.as_mut().reset(Instant::now() + this.silent_for);
        }
        this.end.as_mut().poll(context).map(|()| {
            let what = format!("nothing has come for {} ms", this.silent_for.as_millis());
            Err(io::Error::new(io::ErrorKind::TimedOut, what))
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::runtime::Builder;

    use super::*;

    const PAUSE: Duration = Duration::from_millis(10);

    /// So many bytes, each after a pause; then nothing.
    struct Slow(usize, Pin<Box<Sleep>>);

    impl AsyncRead for Slow {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            into: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if self.0 == 0 || self.1.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.0 -= 1;
            self.1.as_mut().reset(Instant::now() + PAUSE);
            into.put_slice(&[7]);
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn what_comes_slowly_comes_and_silence_is_an_error() {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            // All of it takes longer than the silence may, and each byte does not.
            let slow = Slow(20, Box::pin(sleep(PAUSE)));
            let mut from = Audible::new(slow, 2 * PAUSE);
            let mut all = [0; 20];
            from.read_exact(&mut all).await.unwrap();
            assert_eq!(all, [7; 20]);
            let error = from.read_u8().await.unwrap_err();
            assert_eq!(error.to_string(), "nothing has come for 20 ms");
        });
    }
}
