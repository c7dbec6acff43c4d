// A source file: what its data say of each line.

/** Numbers that were written as the steps from one to the next. */
const fromSteps = (steps) => {
  let number = 0;
  return steps.map((step) => (number += step));
};

/** A number with one decimal. */
const groupedTenths = (number) => {
  const tenths = Math.round(number * 10);
  return `${grouped(Math.floor(tenths / 10))}.${tenths % 10}`;
};

/** What a column shows of the numbers at a place. */
const cellText = (column, numbers, place) => {
  const number = numbers[column.of][place];
  switch (column.kind) {
    case 'share': return percent(Number(number) / Number(column.total));
    case 'milliseconds': {
      const microseconds = Math.round(Number(number) / 1000);
      return `${grouped(Math.floor(microseconds / 1000))}.${String(microseconds % 1000).padStart(3, '0')}`;
    }
    case 'error': {
      const of = Number(numbers[column.of - 1][place]);
      if (of === 0) return '';
      const error = Number(number) / of;
      return error < 9.995 ? `± ${(error * 100).toFixed(1)}` : '± > 999';
    }
    case 'each': {
      const count = Number(numbers[column.of - 1][place]);
      return count === 0 ? '' : groupedTenths(Number(number) / count);
    }
    default: return grouped(number);
  }
};

/** What a column shows, with the sign of estimates. */
const shownText = (column, numbers, place) => {
  const text = cellText(column, numbers, place);
  return column.estimate && column.kind !== 'error' && text !== '' ? `≈\u202f${text}` : text;
};

/** A file's lines and the bytecode of each. */
class SourceFile {
  constructor(data) {
    this.data = data;
    this.warning = data.warning;
    this.counted = fromSteps(data.line);
    this.texts = data.text === null ? null : data.text.split('\n');
    /** From a line's number to its place in the numbers. */
    this.places = new Map(this.counted.map((line, place) => [line, place]));
    this.lines = this.shownLines();
    this.offsets = fromSteps(data.offset);
    /** From the place of a line to its parts: the function, the first instruction and the one behind the last. */
    this.parts = new Map();
    let first = 0;
    data.part_line.forEach((line, part) => {
      const end = first + data.part_length[part];
      if (!this.parts.has(line)) this.parts.set(line, []);
      this.parts.get(line).push({ function: data.functions[data.part_function[part]], first, end });
      first = end;
    });
  }

  /** All lines of the text, or only those with counts where there is none; what belongs to no line comes first. */
  shownLines() {
    if (this.texts === null) return this.counted;
    const last = Math.max(this.texts.length, this.counted.at(-1) ?? 0);
    const lines = Array.from({ length: last }, (_, place) => place + 1);
    return this.places.has(0) ? [0, ...lines] : lines;
  }

  text(line) {
    return this.texts?.[line - 1] ?? '';
  }
}
