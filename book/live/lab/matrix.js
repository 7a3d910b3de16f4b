/** The one product that everything is made of, in blocks that keep a processor's registers full. */

/**
 * `out = a · bᵀ (+ bias)`: rows of `a` `(rows, inner)` times rows of `b` `(columns, inner)`, all row by row.
 *
 * @param {Float64Array} a @param {Float64Array} b @param {Float64Array} out
 * @param {number} rows @param {number} columns @param {number} inner
 * @param {Float64Array | null} [bias] one for each column
 */
export function product(a, b, out, rows, columns, inner, bias = null) {
  const wholeRows = rows - (rows % 4);
  const wholeColumns = columns - (columns % 2);
  for (let row = 0; row < wholeRows; row += 4) {
    const a0 = row * inner;
    const a1 = a0 + inner;
    const a2 = a1 + inner;
    const a3 = a2 + inner;
    for (let column = 0; column < wholeColumns; column += 2) {
      const b0 = column * inner;
      const b1 = b0 + inner;
      const left = bias === null ? 0 : bias[column];
      const right = bias === null ? 0 : bias[column + 1];
      let s00 = left;
      let s10 = left;
      let s20 = left;
      let s30 = left;
      let s01 = right;
      let s11 = right;
      let s21 = right;
      let s31 = right;
      for (let k = 0; k < inner; k++) {
        const x = b[b0 + k];
        const y = b[b1 + k];
        const p = a[a0 + k];
        const q = a[a1 + k];
        const r = a[a2 + k];
        const s = a[a3 + k];
        s00 += p * x;
        s01 += p * y;
        s10 += q * x;
        s11 += q * y;
        s20 += r * x;
        s21 += r * y;
        s30 += s * x;
        s31 += s * y;
      }
      let at = row * columns + column;
      out[at] = s00;
      out[at + 1] = s01;
      at += columns;
      out[at] = s10;
      out[at + 1] = s11;
      at += columns;
      out[at] = s20;
      out[at + 1] = s21;
      at += columns;
      out[at] = s30;
      out[at + 1] = s31;
    }
  }
  if (wholeColumns < columns) edge(a, b, out, 0, wholeRows, wholeColumns, columns, inner, bias);
  if (wholeRows < rows) edge(a, b, out, wholeRows, rows, 0, columns, inner, bias);
}

/**
 * The rows and columns that fill no block.
 * @param {Float64Array} a @param {Float64Array} b @param {Float64Array} out @param {number} top @param {number} bottom
 * @param {number} left @param {number} columns @param {number} inner @param {Float64Array | null} bias
 */
function edge(a, b, out, top, bottom, left, columns, inner, bias) {
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < columns; column++) {
      let sum = bias === null ? 0 : bias[column];
      for (let k = 0; k < inner; k++) sum += a[row * inner + k] * b[column * inner + k];
      out[row * columns + column] = sum;
    }
  }
}

/** `out = aᵀ` of `a` `(rows, columns)`. @param {Float64Array} a @param {Float64Array} out @param {number} rows @param {number} columns */
export function transpose(a, out, rows, columns) {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = a[row * columns + column];
  }
}
