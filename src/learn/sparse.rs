//! Owns rows of numbers that are mostly zero, and their product with a matrix.
//!
//! Must not know what the numbers mean. Nine of ten numbers of an observation are zero, so that going through the others
//! one by one is several times faster than the best product of full matrices. Sums have one order each, which depends
//! on the row alone.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Storage, Tensor};

/// Rows of equal length, of which only the numbers that are not zero are kept.
#[derive(Debug)]
pub(super) struct Rows {
    /// Numbers in a row, zeros included.
    width: usize,
    /// Where each row starts in `at` and `values`, and where the last one ends.
    starts: Vec<usize>,
    /// The place of each number in its row, ascending.
    at: Vec<u32>,
    values: Vec<f32>,
}

impl Rows {
    /// Of these rows.
    ///
    /// # Panics
    /// If one is of another length.
    pub(super) fn new<'a>(width: usize, rows: impl Iterator<Item = &'a [f32]>) -> Self {
        let mut all = Self { width, starts: vec![0], at: Vec::new(), values: Vec::new() };
        for row in rows {
            assert_eq!(row.len(), width, "numbers in a row");
            compress(row, &mut all.at, &mut all.values);
            all.starts.push(all.at.len());
        }
        all
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Copies some rows out.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let mut some = Self { width: self.width, starts: vec![0], at: Vec::new(), values: Vec::new() };
        for &row in rows {
            let (at, values) = self.row(row);
            some.at.extend_from_slice(at);
            some.values.extend_from_slice(values);
            some.starts.push(some.at.len());
        }
        some
    }

    fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.starts[row]..self.starts[row + 1];
        (&self.at[range.clone()], &self.values[range])
    }

    /// Columns become rows.
    fn transposed(&self) -> Self {
        let mut starts = vec![0; self.width + 1];
        self.at.iter().for_each(|&at| starts[at as usize + 1] += 1);
        for column in 0..self.width {
            starts[column + 1] += starts[column];
        }
        let mut next = starts.clone();
        let (mut at, mut values) = (vec![0; self.at.len()], vec![0.0; self.at.len()]);
        for row in 0..self.len() {
            let (columns, numbers) = self.row(row);
            for (&column, &number) in columns.iter().zip(numbers) {
                let place = &mut next[column as usize];
                (at[*place], values[*place]) = (row as u32, number);
                *place += 1;
            }
        }
        Self { width: self.len(), starts, at, values }
    }

    /// These rows times a matrix of `width` rows: `[len, columns]`.
    fn times(&self, matrix: &[f32], columns: usize) -> Vec<f32> {
        assert_eq!(matrix.len(), self.width * columns, "a matrix row for each number");
        let mut product = vec![0.0; self.len() * columns];
        for (row, sums) in product.chunks_exact_mut(columns).enumerate() {
            let (at, values) = self.row(row);
            add_rows(sums, at, values, matrix);
        }
        product
    }

    /// The product with a `[width, columns]` tensor on the processor, recorded for its gradient.
    pub(super) fn product(self: &Arc<Self>, matrix: &Tensor) -> Result<Tensor> {
        matrix.apply_op1(Product(self.clone()))
    }
}

/// Adds the numbers of a row that are not zero, and their places, to these lists.
pub(super) fn compress(row: &[f32], at: &mut Vec<u32>, values: &mut Vec<f32>) {
    for (place, &value) in row.iter().enumerate() {
        if value != 0.0 {
            at.push(place as u32);
            values.push(value);
        }
    }
}

/// `sums += values[0] * matrix[at[0]] + values[1] * matrix[at[1]] + ...`, where the matrix's rows are as long as `sums`;
/// each sum is loaded and stored once for four rows.
pub(super) fn add_rows(sums: &mut [f32], at: &[u32], values: &[f32], matrix: &[f32]) {
    let width = sums.len();
    let row = |at: u32| &matrix[at as usize * width..][..width];
    let ((fours, rest), (four_values, rest_values)) = (at.as_chunks::<4>(), values.as_chunks::<4>());
    for (&four, x) in fours.iter().zip(four_values) {
        let [a, b, c, d] = four.map(row);
        for at in 0..width {
            sums[at] += (x[0] * a[at] + x[1] * b[at]) + (x[2] * c[at] + x[3] * d[at]);
        }
    }
    for (&at, x) in rest.iter().zip(rest_values) {
        sums.iter_mut().zip(row(at)).for_each(|(sum, weight)| *sum += x * weight);
    }
}

/// What a contiguous f32 tensor on the processor holds.
pub(super) fn with_numbers<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(read(numbers(storage, layout)?)),
        _ => candle_core::bail!("a tensor on another device"),
    }
}

/// The numbers of a contiguous layout.
pub(super) fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&storage.as_slice::<f32>()?[from..to]),
        None => candle_core::bail!("a tensor that is not contiguous"),
    }
}

/// The matrix is the argument; the rows, being data, get no gradient. candle's own product of full matrices would
/// compute one only to throw it away.
struct Product(Arc<Rows>);

impl CustomOp1 for Product {
    fn name(&self) -> &'static str {
        "sparse-product"
    }

    fn cpu_fwd(&self, matrix: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, columns) = layout.shape().dims2()?;
        let product = self.0.times(numbers(matrix, layout)?, columns);
        Ok((CpuStorage::F32(product), (self.0.len(), columns).into()))
    }

    fn bwd(&self, matrix: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let columns = matrix.dim(1)?;
        let sums = with_numbers(gradient, |gradient| self.0.transposed().times(gradient, columns))?;
        Tensor::from_vec(sums, matrix.shape(), matrix.device()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Rng;
    use candle_core::{Device, Var};

    #[test]
    fn products_and_gradients_are_those_of_full_matrices() -> Result<()> {
        let mut rng = Rng::from_u64(1);
        let (n, width, columns) = (11, 30, 19);
        let full: Vec<f32> = (0..n * width).map(|_| (rng.normal() * f64::from(rng.below(2))) as f32).collect();
        let rows = Arc::new(Rows::new(width, full.chunks_exact(width)));
        assert!(rows.values.len() < full.len() && rows.len() == n);
        let full = Tensor::from_vec(full, (n, width), &Device::Cpu)?;
        let weights: Vec<f32> = (0..width * columns).map(|_| rng.normal() as f32).collect();
        let weights = Var::from_vec(weights, (width, columns), &Device::Cpu)?;
        let pairs = [rows.product(&weights)?, full.matmul(&weights)?];
        let gradients = pairs.each_ref().map(|product| product.sqr()?.sum_all()?.backward());
        let [sparse, dense] = gradients.map(|gradients| gradients.unwrap().get(&weights).unwrap().clone());
        for [a, b] in [[&pairs[0], &pairs[1]], [&sparse, &dense]] {
            let most = (a - b)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(most < 1e-3, "{most} apart");
        }

        let some = rows.select(&[7, 2, 7]);
        assert_eq!(some.row(0), rows.row(7));
        assert_eq!((some.row(1), some.row(2)), (rows.row(2), rows.row(7)));
        Ok(())
    }
}
