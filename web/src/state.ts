import { useEffect, useState } from "preact/hooks";
import { useApi, type Loaded } from "./api/client";
import { contact } from "./api/stream";
import type { Status } from "./api/types";
import { Cell, useCell } from "./store";
import { keep, kept } from "./text/language";

export const STATUS = "/v1/status";
export const useStatus = (): Loaded<Status> => useApi<Status>(STATUS);

// ---- The clock: the program's, told by its answers, so that a reader's wrong one shifts nothing ----
export const minute = new Cell<number>(Date.now());
const EACH = 5000;
export const clockStart = (): void => void setInterval(() => minute.set(Date.now()), EACH);

export function useNow(status: Loaded<Status>): number {
	const local = useCell(minute);
	if (!status.data) return local;
	const shift = Date.parse(status.data.now) - status.at;
	return Math.abs(shift) > 2000 ? local + shift : local;
}

const LOST = 120_000,
	LATE = 180_000;

// Since when what is shown is old: nothing was heard for two minutes, or the rows of a running capture do not come on.
export function useStale(status: Loaded<Status>): string | null {
	const c = useCell(contact),
		now = useCell(minute),
		at = useNow(status);
	if (!status.data?.as_of) return null;
	const heard = Math.max(c.at, status.at, c.started);
	const lost = !c.open && now - heard > LOST;
	const late = status.data.capturing && at - Date.parse(status.data.as_of) > LATE;
	return lost || late ? status.data.as_of : null;
}

// ---- Light and dark: the system's, until the reader chooses ----
export type Theme = "light" | "dark";
const dark = globalThis.matchMedia?.("(prefers-color-scheme: dark)") as MediaQueryList | undefined; // none in unit tests
const chosen = (): Theme | null => {
	const text = kept("theme");
	return text === "light" || text === "dark" ? text : null;
};
export const theme = new Cell<Theme>(chosen() ?? (dark?.matches ? "dark" : "light"));

function themeShow(): void {
	document.documentElement.dataset.theme = theme.get();
}

export function themeStart(): void {
	themeShow();
	theme.follow(themeShow);
	dark?.addEventListener("change", () => chosen() || theme.set(dark?.matches ? "dark" : "light"));
}

export function themeChoose(next: Theme): void {
	keep("theme", next === (dark?.matches ? "dark" : "light") ? null : next);
	theme.set(next);
}

// Whether the page is so narrow that it is read on a phone.
export function usePhone(): boolean {
	const query = matchMedia("(max-width: 720px)");
	const [is, isSet] = useState(query.matches);
	useEffect(() => {
		const follow = (): void => isSet(query.matches);
		query.addEventListener("change", follow);
		return () => query.removeEventListener("change", follow);
	}, []);
	return is;
}
