//! Slices: the intervals that windows consist of.
//!
//! A row is added to the one slice that contains it. A window is the sum of its slices, so overlapping
//! windows share work. A slice is identified by its end. All times are local milliseconds.

use flott_plan::WindowKind;
use flott_types::{Error, Result};

use super::start_of;

/// The slices of a kind of window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slicing {
    /// TUMBLE and HOP.
    Hop {
        /// The size of windows.
        size: i64,
        /// From the start of one window to that of the next.
        slide: i64,
        /// The offset by which windows begin later than at multiples.
        offset: i64,
        /// The size of slices.
        slice: i64,
    },
    /// CUMULATE.
    Cumulate {
        /// The size of the largest windows.
        size: i64,
        /// By how much each window is larger than the one before it.
        step: i64,
        /// The offset by which windows begin later than at multiples.
        offset: i64,
    },
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

impl Slicing {
    /// The slices of aligned windows; sessions have none.
    ///
    /// # Errors
    /// If sizes are not positive, or do not fit together.
    pub fn new(kind: &WindowKind) -> Result<Self> {
        let (slicing, sizes) = match *kind {
            WindowKind::Tumble { size, offset } => {
                (Slicing::Hop { size, slide: size, offset, slice: size }, [size, size])
            }
            WindowKind::Hop { size, slide, offset } => {
                let slice = greatest_common_divisor(size.max(1), slide.max(1));
                (Slicing::Hop { size, slide, offset, slice }, [size, slide])
            }
            WindowKind::Cumulate { size, step, offset } => {
                (Slicing::Cumulate { size, step, offset }, [size, step])
            }
            WindowKind::Session { .. } => return Err(Error::internal("sessions have no slices")),
        };
        if sizes.iter().any(|size| *size <= 0) {
            return Err(Error::invalid("the size of a window must be positive"));
        }
        if let Slicing::Cumulate { size, step, .. } = slicing
            && size % step != 0
        {
            return Err(Error::invalid("the size of a CUMULATE window must be a multiple of its step"));
        }
        Ok(slicing)
    }

    /// The end of the slice that contains a time.
    #[inline]
    pub fn slice_end(&self, time: i64) -> i64 {
        let (Slicing::Hop { slice, offset, .. } | Slicing::Cumulate { step: slice, offset, .. }) = *self;
        start_of(time, offset, slice).saturating_add(slice)
    }

    /// The start of the slice with this end.
    #[inline]
    pub fn slice_start(&self, slice_end: i64) -> i64 {
        let (Slicing::Hop { slice, .. } | Slicing::Cumulate { step: slice, .. }) = *self;
        slice_end.saturating_sub(slice)
    }

    /// The end of the first window that contains a slice. It is after [`Slicing::last_window`] if there is
    /// none, because the slide exceeds the size.
    pub fn first_window(&self, slice_end: i64) -> i64 {
        match *self {
            Slicing::Hop { size, slide, offset, .. } => {
                slice_end + (offset + size - slice_end).rem_euclid(slide)
            }
            Slicing::Cumulate { .. } => slice_end,
        }
    }

    /// The end of the last window that contains a slice.
    pub fn last_window(&self, slice_end: i64) -> i64 {
        match *self {
            Slicing::Hop { size, slide, offset, slice } => {
                start_of(slice_end - slice + size, offset + size, slide)
            }
            Slicing::Cumulate { size, .. } => self.start(slice_end) + size,
        }
    }

    /// The end of the next window after the one with this end.
    pub fn next_window(&self, end: i64) -> i64 {
        match *self {
            Slicing::Hop { slide, .. } => end + slide,
            Slicing::Cumulate { step, .. } => end + step,
        }
    }

    /// The start of the window with this end.
    pub fn start(&self, end: i64) -> i64 {
        match *self {
            Slicing::Hop { size, .. } => end - size,
            Slicing::Cumulate { size, offset, .. } => start_of(end - 1, offset, size),
        }
    }

    /// The slice in which a growing window accumulates what has fired already: its first.
    pub fn accumulating_slice(&self, end: i64) -> Option<i64> {
        match *self {
            Slicing::Hop { .. } => None,
            Slicing::Cumulate { step, .. } => Some(self.start(end) + step),
        }
    }

    /// The ends of the windows that contain a slice.
    pub fn windows(&self, slice_end: i64) -> impl Iterator<Item = i64> + use<> {
        let (slicing, last) = (*self, self.last_window(slice_end));
        let first = Some(slicing.first_window(slice_end)).filter(|first| *first <= last);
        std::iter::successors(first, move |end| Some(slicing.next_window(*end)).filter(|end| *end <= last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The windows that contain a time, by definition.
    fn naive(kind: &WindowKind, time: i64) -> Vec<(i64, i64)> {
        let mut windows = Vec::new();
        for start in -200..200 {
            match *kind {
                WindowKind::Tumble { size, offset } if (start - offset).rem_euclid(size) == 0 => {
                    windows.push((start, start + size));
                }
                WindowKind::Hop { size, slide, offset } if (start - offset).rem_euclid(slide) == 0 => {
                    windows.push((start, start + size));
                }
                WindowKind::Cumulate { size, step, offset } if (start - offset).rem_euclid(size) == 0 => {
                    windows.extend((1..=size / step).map(|n| (start, start + n * step)));
                }
                // No window starts here; sessions have no slices.
                WindowKind::Tumble { .. }
                | WindowKind::Hop { .. }
                | WindowKind::Cumulate { .. }
                | WindowKind::Session { .. } => (),
            }
        }
        windows.retain(|(start, end)| *start <= time && time < *end);
        windows.sort_by_key(|(_, end)| *end);
        windows
    }

    #[test]
    fn windows_match_the_definition() {
        let kinds = [
            WindowKind::Tumble { size: 10, offset: 0 },
            WindowKind::Tumble { size: 10, offset: -3 },
            WindowKind::Hop { size: 10, slide: 5, offset: 2 },
            WindowKind::Hop { size: 9, slide: 6, offset: 1 },
            WindowKind::Hop { size: 4, slide: 10, offset: 0 },
            WindowKind::Cumulate { size: 12, step: 3, offset: 5 },
        ];
        for kind in kinds {
            let slicing = Slicing::new(&kind).unwrap();
            for time in -40..40 {
                let windows = slicing.windows(slicing.slice_end(time)).map(|end| (slicing.start(end), end));
                assert_eq!(windows.collect::<Vec<_>>(), naive(&kind, time), "{kind:?} {time}");
            }
        }
    }
}
