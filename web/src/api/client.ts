import { useEffect, useReducer } from "preact/hooks";

export interface Failure {
	code: string;
	text: string;
	status: number;
}

// An answer and how fresh it is. A failure leaves the last answer in place: a page shows both.
export interface Loaded<T> {
	data: T | undefined;
	failure: Failure | undefined;
	slow: boolean; // nothing came within SLOW ms
	at: number; // when `data` came, ms since 1970
	since: number; // when it failed first
}

const SLOW = 300,
	KEPT = 120,
	OLD = 600_000; // ms: an answer of before is not shown again, not even until the next one is there
const NONE: Loaded<never> = { data: undefined, failure: undefined, slow: false, at: 0, since: 0 };

class Entry {
	state: Loaded<unknown> = NONE;
	followers = new Set<() => void>();
	passed = false; // there are newer rows
	private asking: Promise<void> | null = null;
	private again = false;

	constructor(readonly url: string) {}

	private put(change: Partial<Loaded<unknown>>): void {
		this.state = { ...this.state, ...change };
		for (const f of [...this.followers]) f();
	}

	get usable(): boolean {
		return this.state.data !== undefined && Date.now() - this.state.at < OLD;
	}

	// Asks now; while an answer is on its way, once more after it: the last commit is never missed.
	ask(): Promise<void> {
		if (this.asking) this.again = true;
		return (this.asking ??= this.once());
	}

	// What is wanted without being followed: at most one question.
	want(): Promise<void> {
		if (this.asking) return this.asking;
		return this.usable && !this.passed ? Promise.resolve() : this.ask();
	}

	private async once(): Promise<void> {
		const timer = setTimeout(() => this.state.data === undefined && this.put({ slow: true }), SLOW);
		this.passed = false;
		try {
			this.put({ data: await fetched(this.url), failure: undefined, at: Date.now(), since: 0 });
		} catch (e) {
			this.put({ failure: asFailure(e), since: this.state.since || Date.now() });
		}
		clearTimeout(timer);
		this.asking = null;
		if (this.state.slow) this.put({ slow: false });
		if (this.again) {
			this.again = false;
			void this.ask();
		}
	}
}

class Refused extends Error {
	constructor(readonly failure: Failure) {
		super(failure.text);
	}
}

const asFailure = (e: unknown): Failure => (e instanceof Refused ? e.failure : { code: "", text: "", status: 0 });

async function fetched(url: string): Promise<unknown> {
	const answer = await fetch(url, { headers: { accept: "application/json" } });
	if (!answer.ok) {
		const body = (await answer.json().catch(() => null)) as { error?: { code?: string; text?: string } } | null;
		throw new Refused({ code: body?.error?.code ?? "", text: body?.error?.text ?? "", status: answer.status });
	}
	return answer.json();
}

const entries = new Map<string, Entry>();

function entryOf(url: string): Entry {
	let entry = entries.get(url);
	if (!entry) {
		entry = new Entry(url);
		for (const [old, e] of entries) {
			if (entries.size < KEPT) break;
			if (!e.followers.size) entries.delete(old);
		}
	}
	entries.delete(url);
	entries.set(url, entry);
	return entry;
}

// Rows have changed: whatever is on the page is asked for again, whatever is not when it is next wanted.
export function askAgain(): void {
	for (const entry of entries.values())
		if (entry.followers.size) void entry.ask();
		else entry.passed = true;
}

export const retry = (url: string): void => void entryOf(url).ask();

// What was answered last, if it is not too old.
export const lastOf = <T>(url: string): T | undefined => entries.get(url)?.state.data as T | undefined;

// Asks for what will soon be shown. Old rows are as good as none were: they are shown until the new ones are there.
export const isThere = (url: string): boolean => entries.get(url)?.usable ?? false;
export const fetchAhead = (url: string): Promise<void> => entryOf(url).want();

export function useApi<T>(url: string | null): Loaded<T> {
	const [, again] = useReducer((n: number) => n + 1, 0);
	useEffect(() => {
		if (url === null) return;
		const entry = entryOf(url),
			follow = () => again(0);
		entry.followers.add(follow);
		if (entry.state.failure) void entry.ask();
		else if (!entry.usable || entry.passed) void entry.want();
		again(0);
		return () => void entry.followers.delete(follow);
	}, [url]);
	const entry = url === null ? undefined : entries.get(url);
	return (entry && (entry.followers.size || entry.usable || entry.state.failure) ? entry.state : NONE) as Loaded<T>;
}

export type Params = Record<string, string | number | null | undefined>;

export function urlOf(path: string, params: Params = {}): string {
	const query = new URLSearchParams();
	for (const [name, value] of Object.entries(params))
		if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
	const text = query.toString().replace(/%2C/g, ",").replace(/%3A/g, ":");
	return path + (text ? "?" + text : "");
}
