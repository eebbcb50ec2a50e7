import { Cell } from "../store";
import { date, hourMinute } from "./format";
import { lang } from "./language";

// When what is stored ended, where nothing new comes: "the last 24 hours" are then not those before the reader's eyes, and
// every sentence and label says which they are. null: the present.
export const ended = new Cell<Date | null>(null);

const LATE = 3_600_000; // ms; until then a capture that stands still is still about now

export const endedOf = (s: { as_of: string | null; capturing: boolean; now: string }): Date | null =>
	s.as_of && !s.capturing && Date.parse(s.now) - Date.parse(s.as_of) > LATE ? new Date(s.as_of) : null;

// 24 Nov 2026 18:08
export const endText = (d: Date, l = lang()): string => `${date(d, l)} ${hourMinute(d)}`;
