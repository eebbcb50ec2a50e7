import type { Live, RateRow } from "../api/types";
import type { Line, Point } from "./lines";

interface Observed {
	moment: string;
	observed?: number | null;
}

const COMPLETE = 0.98; // observed less than this, a step at the end is still being counted

// Rows as points: what was not observed is missing, and the last step may still grow.
export function pointsOf<Row extends Observed>(
	rows: Row[],
	value: (r: Row) => number | null,
	shift = 0,
	asOf?: string | null,
	step = 0,
): Point[] {
	const end = asOf ? Date.parse(asOf) : Infinity;
	return rows.map((r, i) => {
		const at = Date.parse(r.moment);
		const seen = r.observed === undefined || r.observed === null || r.observed > 0;
		const part =
			i === rows.length - 1 &&
			(at + step > end || (typeof r.observed === "number" && r.observed < COMPLETE && at + step >= end));
		return { at: at + shift, v: seen ? value(r) : null, part };
	});
}

const WORTH = 0.1; // of its steps: a line of fewer says nothing

export const worthDrawing = (rows: Observed[] | undefined): boolean =>
	rows !== undefined && rows.length > 0 && rows.filter(r => (r.observed ?? 0) > 0).length >= rows.length * WORTH;

// Without a number of monitored addresses there are no rates: then accesses are drawn, and called so.
export const onlyCounts = (rows: { rate: number | null; accesses: number }[]): boolean =>
	rows.some(r => r.accesses > 0) && rows.every(r => r.rate === null);

export const rateLine = (name: string, look: Line["look"], rows: RateRow[], shift = 0, asOf?: string | null, step = 0): Line => {
	const counts = onlyCounts(rows);
	return { name, look, points: pointsOf(rows, r => (counts ? r.accesses : r.rate), shift, asOf, step) };
};

// What was counted: a capture that has just begun sends zeros for the time before, which was not observed.
export function countedSeconds(seconds: Live["seconds"]): Live["seconds"] {
	const first = seconds.findIndex(s => s[1] > 0);
	return first < 0 ? [] : seconds.slice(first);
}
