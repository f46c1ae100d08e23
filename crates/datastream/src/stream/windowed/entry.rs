//! From a stream to windows.

use flott_batch::Record;

use super::{AllWindowedStream, WindowedStream};
use crate::stream::DataStream;
use crate::stream::keyed::KeyedStream;
use flott_function::state::Key;
use flott_function_windows::assigner::{GlobalWindows, WindowAssigner};
use flott_function_windows::evictor::CountEvictor;
use flott_function_windows::trigger::{CountTrigger, PurgingTrigger};
use flott_function_windows::types::NoKey;

impl<K: Key, T: Record + Clone> KeyedStream<K, T> {
    /// Assigns the records of each key to windows.
    pub fn window<A: WindowAssigner<T>>(&self, assigner: A) -> WindowedStream<K, T, A> {
        WindowedStream::new(self.clone(), assigner, false)
    }

    /// Windows of this many records of a key, one after the other.
    pub fn count_window(&self, size: u64) -> WindowedStream<K, T, GlobalWindows> {
        self.window(GlobalWindows::create()).trigger(PurgingTrigger::of(CountTrigger::of(size)))
    }

    /// After every `slide` records of a key, a window of its last `size` records.
    pub fn count_window_sliding(&self, size: u64, slide: u64) -> WindowedStream<K, T, GlobalWindows> {
        sliding(self.window(GlobalWindows::create()), size, slide)
    }
}

impl<T: Record + Clone> DataStream<T> {
    /// Assigns all records to windows, regardless of keys. One subtask has them all.
    pub fn window_all<A: WindowAssigner<T>>(&self, assigner: A) -> AllWindowedStream<T, A> {
        WindowedStream::new(self.key_by(|_| NoKey), assigner, true)
    }

    /// Windows of this many records, one after the other.
    pub fn count_window_all(&self, size: u64) -> AllWindowedStream<T, GlobalWindows> {
        self.window_all(GlobalWindows::create()).trigger(PurgingTrigger::of(CountTrigger::of(size)))
    }

    /// After every `slide` records, a window of the last `size` records.
    pub fn count_window_all_sliding(&self, size: u64, slide: u64) -> AllWindowedStream<T, GlobalWindows> {
        sliding(self.window_all(GlobalWindows::create()), size, slide)
    }
}

fn sliding<K: Key, T: Record + Clone>(
    windows: WindowedStream<K, T, GlobalWindows>,
    size: u64,
    slide: u64,
) -> WindowedStream<K, T, GlobalWindows> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    windows.evictor(CountEvictor::of(size)).trigger(CountTrigger::of(slide))
}
