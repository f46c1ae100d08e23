//! Rows in the order of their key groups, as files of state have them.

/// Where the rows with these key groups are found in ascending order of them: a counting sort, so those of one group
/// stay in their order. `None` if they are in order.
pub(crate) fn ascending(groups: &[u16]) -> Option<Vec<u32>> {
    let (least, most) = match (groups.iter().min(), groups.iter().max()) {
        (Some(least), Some(most)) if !groups.is_sorted() => (*least, *most),
        _ => return None,
    };
    let bucket = |group: &u16| usize::from(group - least);
    let mut next = vec![0u32; usize::from(most - least) + 2];
    groups.iter().for_each(|group| next[bucket(group) + 1] += 1);
    (1..next.len()).for_each(|at| next[at] += next[at - 1]);
    let mut order = vec![0; groups.len()];
    for (row, group) in (0..).zip(groups) {
        let place = &mut next[bucket(group)];
        order[*place as usize] = row;
        *place += 1;
    }
    Some(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_group_stay_in_their_order() {
        assert_eq!(ascending(&[7, 3, 65_535, 3, 0, 7]), Some(vec![4, 1, 3, 0, 5, 2]));
        assert_eq!(ascending(&[5, 4]), Some(vec![1, 0]));
    }

    #[test]
    fn rows_in_order_need_no_sorting() {
        assert_eq!(ascending(&[]), None);
        assert_eq!(ascending(&[1, 1, 2, 9]), None);
    }
}
