//! Decides which columns of a table fit, and how wide each may be. Pure arithmetic on cell widths.

use super::column::Width;

/// Cells between two columns.
pub(crate) const GAP: usize = 2;
/// Minimum width of a cut cell: a narrower one shows nothing.
const LEAST: usize = 4;
/// Number of columns that are cut rather than left out: state and both ends of a connection.
const FEW: usize = 3;

/// Input of the layout for one column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    /// Width of its widest cell, title included
    pub natural: usize,
    /// Whether it may be narrowed
    pub width: Width,
    /// Rank: the lowest is left out first
    pub importance: u8,
}

/// The width of each column, `None` for those left out. `room` is the width of the terminal in cells.
///
/// If the columns do not fit, flexible ones are narrowed first, the widest first; then the least important ones are
/// left out, one by one, until the others fit. The last few are cut, flexible or not, rather than left out.
pub(crate) fn fit(demands: &[Demand], room: Option<usize>) -> Vec<Option<usize>> {
    let mut widths: Vec<_> = demands.iter().map(|demand| Some(demand.natural)).collect();
    let Some(room) = room else { return widths };
    loop {
        let kept = widths.iter().flatten().count();
        squeeze(demands, &mut widths, room, |demand| match demand.width {
            Width::Flexible(least) => usize::from(least).min(demand.natural),
            Width::Text | Width::Number => demand.natural,
        });
        if total(&widths) <= room {
            return grow(demands, widths, room);
        }
        if kept <= FEW {
            squeeze(demands, &mut widths, room, |demand| LEAST.min(demand.natural));
            if kept <= 1 || total(&widths) <= room {
                return widths;
            }
        }
        let least =
            (0..demands.len()).filter(|&index| widths[index].is_some()).min_by_key(|&index| demands[index].importance);
        if let Some(index) = least {
            widths[index] = None;
        }
    }
}

/// Narrows the widest column that is above its minimum, until the row fits or all columns are at theirs.
fn squeeze(demands: &[Demand], widths: &mut [Option<usize>], room: usize, least: impl Fn(&Demand) -> usize) {
    while total(widths) > room {
        let widest = (0..demands.len())
            .filter(|&index| widths[index].is_some_and(|width| width > least(&demands[index])))
            .max_by_key(|&index| widths[index]);
        match widest.and_then(|index| widths[index].as_mut()) {
            Some(width) => *width -= 1,
            None => return,
        }
    }
}

/// Gives narrowed columns back the width that left-out columns freed, the narrowest first.
fn grow(demands: &[Demand], mut widths: Vec<Option<usize>>, room: usize) -> Vec<Option<usize>> {
    while total(&widths) < room {
        let squeezed = (0..demands.len())
            .filter(|&index| widths[index].is_some_and(|width| width < demands[index].natural))
            .min_by_key(|&index| widths[index]);
        match squeezed.and_then(|index| widths[index].as_mut()) {
            Some(width) => *width += 1,
            None => break,
        }
    }
    widths
}

fn total(widths: &[Option<usize>]) -> usize {
    let kept = widths.iter().flatten().count();
    widths.iter().flatten().sum::<usize>() + GAP * kept.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::{Demand, fit, total};
    use crate::fields::column::Width;
    use proptest::prelude::{prop, proptest};

    const STATE: Demand = Demand { natural: 11, width: Width::Text, importance: 100 };
    const PROCESS: Demand = Demand { natural: 21, width: Width::Flexible(12), importance: 90 };
    const PEER: Demand = Demand { natural: 15, width: Width::Text, importance: 98 };
    const TIMER: Demand = Demand { natural: 9, width: Width::Text, importance: 70 };

    #[test]
    fn without_a_terminal_everything_has_its_natural_width() {
        assert_eq!(fit(&[STATE, PROCESS], None), [Some(11), Some(21)]);
    }

    #[test]
    fn the_flexible_are_squeezed_then_the_least_important_left_out() {
        let four = [STATE, PEER, PROCESS, TIMER];
        assert_eq!(fit(&four, Some(62)), [Some(11), Some(15), Some(21), Some(9)]);
        assert_eq!(fit(&four, Some(55)), [Some(11), Some(15), Some(14), Some(9)]);
        assert_eq!(fit(&four, Some(52)), [Some(11), Some(15), Some(21), None]);
    }

    #[test]
    fn the_last_few_are_cut_rather_than_left_out() {
        assert_eq!(fit(&[STATE, PEER, PROCESS, TIMER], Some(30)), [Some(9), Some(9), Some(8), None]);
        assert_eq!(fit(&[STATE, PEER, PROCESS, TIMER], Some(10)), [Some(4), Some(4), None, None]);
    }

    proptest! {
        #[test]
        fn a_row_never_wraps_at_any_usable_width(
            naturals in prop::collection::vec((1_usize..60, 0_u8..100), 1..20),
            room in 10_usize..200,
        ) {
            let demands: Vec<_> = naturals
                .iter()
                .map(|&(natural, importance)| Demand { natural, width: Width::Flexible(8), importance })
                .collect();
            assert!(total(&fit(&demands, Some(room))) <= room);
        }
    }
}
