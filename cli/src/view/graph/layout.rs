//! Where boxes and lines go: columns by the longest way from the start, few crossings, lines that pass between boxes.
//! Whole numbers all through, so that the same catalog gives the same picture. Knows nothing of how it is drawn.

use model::Catalog;
use std::collections::{BTreeMap, BTreeSet};

/// Height of a box.
pub const BOX_HEIGHT: i64 = 40;
/// Least space between two boxes of a column.
const GAP: i64 = 16;
/// Height that a line takes where it passes a column.
const BEND_HEIGHT: i64 = 6;
/// Space between two columns.
const BETWEEN: i64 = 70;
/// Space around everything.
pub const MARGIN: i64 = 24;
/// Width that rows of boxes may always take.
const NARROWEST: i64 = 900;
/// Times that everything is drawn towards its neighbours.
const ROUNDS: usize = 12;

/// What stands in a column: a box, or a place where the lines of one node pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Node(usize),
    Bend { from: usize, column: usize },
}

impl Cell {
    fn height(self) -> i64 {
        match self {
            Self::Node(_) => BOX_HEIGHT,
            Self::Bend { .. } => BEND_HEIGHT,
        }
    }
}

/// The picture in numbers.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// Left upper corner and width of each node's box.
    pub boxes: Vec<(i64, i64, i64)>,
    /// For each edge the points from the right side of one box to the left side of the other; lines run level in a column.
    pub routes: Vec<Vec<(i64, i64)>>,
    /// Size of the whole.
    pub size: (i64, i64),
}

/// Lays a catalog out, its boxes as wide as `widths` says.
pub fn layout(catalog: &Catalog, widths: &[i64]) -> Layout {
    let mut layout = connected(catalog, widths);
    let mut joined = vec![false; widths.len()];
    catalog.edges().iter().for_each(|edge| [edge.from, edge.to].iter().for_each(|at| joined[*at] = true));
    // What is tied to nothing stands in rows below.
    let right = layout.size.0.max(NARROWEST) - MARGIN;
    let (mut x, mut y) = (MARGIN, if joined.contains(&true) { layout.size.1 } else { MARGIN });
    for at in (0..widths.len()).filter(|at| !joined[*at]) {
        if x > MARGIN && x + widths[at] > right {
            (x, y) = (MARGIN, y + BOX_HEIGHT + GAP);
        }
        layout.boxes[at] = (x, y, widths[at]);
        x += widths[at] + GAP;
        layout.size = (layout.size.0.max(x - GAP + MARGIN), y + BOX_HEIGHT + MARGIN);
    }
    layout
}

/// As `layout`, without the boxes that no line leads to.
fn connected(catalog: &Catalog, widths: &[i64]) -> Layout {
    let columns_of = columns_of(catalog);
    let mut board = Board::new(catalog, &columns_of);
    for round in 0..ROUNDS {
        board.sort(round % 2 == 0);
    }
    board.stack();
    for round in 0..ROUNDS {
        board.settle(round % 2 == 0);
    }
    board.draw(catalog, &columns_of, widths)
}

/// The longest way from the start; what needs nothing stands right before the first that needs it.
fn columns_of(catalog: &Catalog) -> Vec<usize> {
    let mut columns = vec![0_usize; catalog.nodes().len()];
    // Edges are sorted by their start and run forward: one pass over them in this order is enough.
    for edge in catalog.edges() {
        columns[edge.to] = columns[edge.to].max(columns[edge.from] + 1);
    }
    let mut has_before = vec![false; columns.len()];
    catalog.edges().iter().for_each(|edge| has_before[edge.to] = true);
    for at in (0..columns.len()).filter(|at| !has_before[*at]) {
        let after = catalog.edges().iter().filter(|edge| edge.from == at).map(|edge| columns[edge.to]);
        columns[at] = after.min().map_or(0, |first| first - 1);
    }
    columns
}

struct Board {
    columns: Vec<Vec<Cell>>,
    /// Neighbours to the left and to the right of each cell.
    links: BTreeMap<Cell, (Vec<Cell>, Vec<Cell>)>,
    /// Middle of each cell.
    heights: BTreeMap<Cell, i64>,
}

/// The cells that an edge leads through.
fn way(from: usize, to: usize, columns_of: &[usize]) -> Vec<Cell> {
    let between = columns_of[from] + 1..columns_of[to];
    let bends = between.map(|column| Cell::Bend { from, column });
    std::iter::once(Cell::Node(from)).chain(bends).chain([Cell::Node(to)]).collect()
}

impl Board {
    fn new(catalog: &Catalog, columns_of: &[usize]) -> Self {
        let count = columns_of.iter().max().map_or(0, |last| last + 1);
        let mut columns: Vec<Vec<Cell>> = vec![Vec::new(); count];
        let mut links: BTreeMap<Cell, (Vec<Cell>, Vec<Cell>)> = BTreeMap::new();
        let ends: BTreeSet<usize> = catalog.edges().iter().flat_map(|edge| [edge.from, edge.to]).collect();
        ends.into_iter().for_each(|at| columns[columns_of[at]].push(Cell::Node(at)));
        for edge in catalog.edges() {
            for pair in way(edge.from, edge.to, columns_of).windows(2) {
                let &[left, right] = pair else { continue };
                if let Cell::Bend { column, .. } = right
                    && !columns[column].contains(&right)
                {
                    columns[column].push(right);
                }
                let after = &mut links.entry(left).or_default().1;
                if !after.contains(&right) {
                    after.push(right);
                    links.entry(right).or_default().0.push(left);
                }
            }
        }
        Self { columns, links, heights: BTreeMap::new() }
    }

    /// The neighbours of a cell on one side; those on the other where there are none.
    fn neighbours(&self, cell: Cell, left: bool) -> &[Cell] {
        let Some((before, after)) = self.links.get(&cell) else { return &[] };
        match (left, before.is_empty(), after.is_empty()) {
            (true, false, _) | (false, _, true) => before,
            _ => after,
        }
    }

    /// Puts each cell at the mean place of its neighbours.
    fn sort(&mut self, left: bool) {
        let places: BTreeMap<Cell, i64> = self
            .columns
            .iter()
            .flat_map(|column| column.iter().zip(0..).map(|(cell, at)| (*cell, at)))
            .collect();
        let sides = &*self;
        let key = |cell: &Cell| {
            mean(sides.neighbours(*cell, left), &places).or_else(|| places.get(cell).map(|at| at * 16))
        };
        let sorted = self.columns.iter().map(|column| {
            let mut column = column.clone();
            column.sort_by_key(key);
            column
        });
        self.columns = sorted.collect();
    }

    /// Stacks each column around the middle.
    fn stack(&mut self) {
        for column in &self.columns {
            let total: i64 = column.iter().map(|cell| cell.height() + GAP).sum();
            let mut top = -total / 2;
            for cell in column {
                self.heights.insert(*cell, top + cell.height() / 2);
                top += cell.height() + GAP;
            }
        }
    }

    /// Draws each cell towards its neighbours; the order of a column stays.
    fn settle(&mut self, left: bool) {
        let order: Vec<usize> =
            if left { (0..self.columns.len()).collect() } else { (0..self.columns.len()).rev().collect() };
        for at in order {
            let column = self.columns[at].clone();
            let wish = |cell: &Cell| mean(self.neighbours(*cell, left), &self.heights).map(|sum| sum / 16);
            let own = |cell: &Cell| self.heights.get(cell).copied().unwrap_or(0);
            let mut middles: Vec<i64> =
                column.iter().map(|cell| wish(cell).unwrap_or_else(|| own(cell))).collect();
            spread(&mut middles, &column);
            for (cell, middle) in column.into_iter().zip(middles) {
                self.heights.insert(cell, middle);
            }
        }
    }

    fn draw(&self, catalog: &Catalog, columns_of: &[usize], widths: &[i64]) -> Layout {
        let width_of = |column: &Vec<Cell>| {
            let boxes = column.iter().filter_map(|cell| match cell {
                Cell::Node(at) => Some(widths[*at]),
                Cell::Bend { .. } => None,
            });
            boxes.max().unwrap_or(0)
        };
        if self.heights.is_empty() {
            let boxes = vec![(MARGIN, MARGIN, 0); columns_of.len()];
            return Layout { boxes, routes: Vec::new(), size: (2 * MARGIN, 2 * MARGIN) };
        }
        let mut spans = Vec::new();
        let mut x = MARGIN;
        for column in &self.columns {
            let width = width_of(column);
            spans.push((x, x + width));
            x += width + BETWEEN;
        }
        let reach = self
            .heights
            .iter()
            .map(|(cell, middle)| (middle - cell.height() / 2, middle + cell.height() / 2));
        let (top, bottom) =
            reach.fold((i64::MAX, i64::MIN), |(top, bottom), (from, to)| (top.min(from), bottom.max(to)));
        let height = |cell: &Cell| self.heights.get(cell).copied().unwrap_or(0) - top + MARGIN;
        let corner =
            |at: usize| (spans[columns_of[at]].0, height(&Cell::Node(at)) - BOX_HEIGHT / 2, widths[at]);
        let route = |edge: &model::Edge| {
            let start = corner(edge.from);
            let mut points = vec![(start.0 + start.2, start.1 + BOX_HEIGHT / 2)];
            for cell in way(edge.from, edge.to, columns_of) {
                if let Cell::Bend { column, .. } = cell {
                    points.extend([(spans[column].0, height(&cell)), (spans[column].1, height(&cell))]);
                }
            }
            let end = corner(edge.to);
            points.push((end.0, end.1 + BOX_HEIGHT / 2));
            points
        };
        Layout {
            boxes: (0..columns_of.len()).map(corner).collect(),
            routes: catalog.edges().iter().map(route).collect(),
            size: ((x - BETWEEN + MARGIN).max(2 * MARGIN), bottom - top + 2 * MARGIN),
        }
    }
}

/// Sixteen times the mean of what `values` has for `cells`; `None` where there are none.
fn mean(cells: &[Cell], values: &BTreeMap<Cell, i64>) -> Option<i64> {
    let found: Vec<i64> = cells.iter().filter_map(|cell| values.get(cell).copied()).collect();
    let count = i64::try_from(found.len()).ok().filter(|count| *count > 0)?;
    Some(found.iter().sum::<i64>() * 16 / count)
}

/// Moves middles apart until no two cells of a column touch, as much up as down.
fn spread(middles: &mut [i64], column: &[Cell]) {
    let least = |one: usize| (column[one].height() + column[one + 1].height()) / 2 + GAP;
    let wished: i64 = middles.iter().sum();
    for at in 1..middles.len() {
        middles[at] = middles[at].max(middles[at - 1] + least(at - 1));
    }
    let Ok(count) = i64::try_from(middles.len()) else { return };
    let shift = (middles.iter().sum::<i64>() - wished) / count.max(1);
    middles.iter_mut().for_each(|middle| *middle -= shift);
}
