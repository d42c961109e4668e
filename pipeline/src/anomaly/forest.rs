//! Isolation forest (Liu, Ting, Zhou, "Isolation Forest", ICDM 2008), seeded, so that the same input gives the same scores.
//!
//! Written here because the crates that exist cannot be seeded.

/// Trees of the forest; the paper's figure.
const TREES: usize = 100;
/// Points a tree is grown from; the paper's figure.
const SAMPLE: usize = 256;
const SEED: u64 = 0x_c1e3_0000_0000_0001;
/// Euler–Mascheroni constant, for the expected depth of an unsuccessful search.
const EULER: f64 = 0.577_215_664_901_532_9;

/// A grown forest over points of `N` features.
pub struct Forest<const N: usize> {
    trees: Vec<Node<N>>,
    expected_depth: f64,
}

enum Node<const N: usize> {
    Leaf { size: usize },
    Split { feature: usize, at: f64, below: Box<Node<N>>, above: Box<Node<N>> },
}

impl<const N: usize> Forest<N> {
    /// Grows a forest from `points`, each of which stands for as many equal ones as its weight says.
    #[must_use]
    pub fn grow(points: &[([f64; N], usize)]) -> Self {
        let mut random = SplitMix(SEED);
        let total: usize = points.iter().map(|(_, weight)| weight).sum();
        let sample = SAMPLE.min(total.max(1));
        let limit = sample.next_power_of_two().trailing_zeros() as usize;
        let trees = (0..TREES)
            .map(|_| {
                let chosen = draw(points, total, sample, &mut random);
                Node::grow(chosen, limit, &mut random)
            })
            .collect();
        Self { trees, expected_depth: expected_depth(sample) }
    }

    /// From 0 (like all others) over 0.5 (ordinary) to 1 (alone).
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // depths are below 300
    pub fn score(&self, point: &[f64; N]) -> f64 {
        if self.expected_depth <= 0.0 {
            return 0.5;
        }
        let depth: f64 = self.trees.iter().map(|tree| tree.depth(point)).sum::<f64>() / TREES as f64;
        (-depth / self.expected_depth).exp2()
    }
}

/// `sample` points, each as likely as its weight.
fn draw<const N: usize>(
    points: &[([f64; N], usize)],
    total: usize,
    sample: usize,
    random: &mut SplitMix,
) -> Vec<[f64; N]> {
    if total == 0 {
        return Vec::new();
    }
    let mut ends = Vec::with_capacity(points.len());
    let mut sum = 0;
    for (_, weight) in points {
        sum += weight;
        ends.push(sum);
    }
    (0..sample)
        .map(|_| {
            let target = random.below(total);
            points[ends.partition_point(|end| *end <= target)].0
        })
        .collect()
}

impl<const N: usize> Node<N> {
    fn grow(points: Vec<[f64; N]>, limit: usize, random: &mut SplitMix) -> Self {
        let varying: Vec<(usize, f64, f64)> = (0..N)
            .filter_map(|feature| {
                let low = points.iter().map(|p| p[feature]).fold(f64::INFINITY, f64::min);
                let high = points.iter().map(|p| p[feature]).fold(f64::NEG_INFINITY, f64::max);
                (high > low).then_some((feature, low, high))
            })
            .collect();
        if limit == 0 || points.len() <= 1 || varying.is_empty() {
            return Self::Leaf { size: points.len() };
        }
        let (feature, low, high) = varying[random.below(varying.len())];
        let at = low + (high - low) * random.unit();
        let (below, above): (Vec<_>, Vec<_>) = points.into_iter().partition(|p| p[feature] < at);
        Self::Split {
            feature,
            at,
            below: Box::new(Self::grow(below, limit - 1, random)),
            above: Box::new(Self::grow(above, limit - 1, random)),
        }
    }

    fn depth(&self, point: &[f64; N]) -> f64 {
        match self {
            Self::Leaf { size } => expected_depth(*size),
            Self::Split { feature, at, below, above } => {
                1.0 + if point[*feature] < *at { below.depth(point) } else { above.depth(point) }
            }
        }
    }
}

/// Average path length of an unsuccessful search in a binary search tree of `size` points (equation 1 of the paper).
#[allow(clippy::cast_precision_loss)] // sizes are below 300
fn expected_depth(size: usize) -> f64 {
    match size {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let n = size as f64;
            2.0 * ((n - 1.0).ln() + EULER) - 2.0 * (n - 1.0) / n
        }
    }
}

/// `SplitMix64` (Steele, Lea, Flood, OOPSLA 2014): small, seeded, good enough to choose splits.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    #[allow(clippy::cast_precision_loss)] // 53 bits fit
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[allow(clippy::cast_possible_truncation)] // below `bound`, a usize
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_that_stands_apart_scores_higher_and_always_the_same() {
        let mut points: Vec<([f64; 2], usize)> = (0..50).map(|i| ([f64::from(i % 5), f64::from(i % 3)], 20)).collect();
        points.push(([40.0, 40.0], 1));
        let score = |p: &[f64; 2]| Forest::grow(&points).score(p);
        assert!(score(&[40.0, 40.0]) > score(&[2.0, 1.0]) + 0.02);
        assert!((score(&[40.0, 40.0]) - score(&[40.0, 40.0])).abs() < f64::EPSILON);
    }

    #[test]
    #[allow(clippy::cast_precision_loss)] // small counts
    fn points_are_drawn_as_often_as_they_weigh() {
        let points = [([0.0], 10), ([1.0], 980), ([2.0], 10)];
        let drawn = draw(&points, 1000, 20_000, &mut SplitMix(SEED));
        let share = |value: f64| drawn.iter().filter(|p| (p[0] - value).abs() < 0.1).count() as f64 / 20_000.0;
        assert!((share(0.0) - 0.01).abs() < 0.004 && (share(2.0) - 0.01).abs() < 0.004);
    }

    #[test]
    fn a_forest_of_nothing_finds_nothing_odd() {
        assert!((Forest::<2>::grow(&[]).score(&[1.0, 1.0]) - 0.5).abs() < f64::EPSILON);
    }
}
