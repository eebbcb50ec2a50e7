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
	KEPT = 80;
const NONE: Loaded<never> = { data: undefined, failure: undefined, slow: false, at: 0, since: 0 };

class Entry {
	state: Loaded<unknown> = NONE;
	followers = new Set<() => void>();
	private asking = false;
	private again = false;

	constructor(readonly url: string) {}

	private put(change: Partial<Loaded<unknown>>): void {
		this.state = { ...this.state, ...change };
		for (const f of [...this.followers]) f();
	}

	// Asks now; while an answer is on its way, once more after it: the last commit is never missed.
	async ask(): Promise<void> {
		if (this.asking) {
			this.again = true;
			return;
		}
		this.asking = true;
		const timer = setTimeout(() => this.state.data === undefined && this.put({ slow: true }), SLOW);
		try {
			this.put({ data: await fetched(this.url), failure: undefined, at: Date.now(), since: 0 });
		} catch (e) {
			this.put({ failure: asFailure(e), since: this.state.since || Date.now() });
		}
		clearTimeout(timer);
		this.asking = false;
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

// Rows have changed: whatever is on the page is asked for again, whatever is not is forgotten.
export function askAgain(): void {
	for (const [url, entry] of [...entries])
		if (entry.followers.size) void entry.ask();
		else entries.delete(url);
}

export const retry = (url: string): void => void entryOf(url).ask();

export function useApi<T>(url: string | null): Loaded<T> {
	const [, again] = useReducer((n: number) => n + 1, 0);
	useEffect(() => {
		if (url === null) return;
		const entry = entryOf(url),
			follow = () => again(0);
		entry.followers.add(follow);
		if (entry.state === NONE || entry.state.failure) void entry.ask();
		else again(0);
		return () => void entry.followers.delete(follow);
	}, [url]);
	return (url === null ? NONE : (entries.get(url)?.state ?? NONE)) as Loaded<T>;
}

export type Params = Record<string, string | number | null | undefined>;

export function urlOf(path: string, params: Params = {}): string {
	const query = new URLSearchParams();
	for (const [name, value] of Object.entries(params))
		if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
	const text = query.toString().replace(/%2C/g, ",").replace(/%3A/g, ":");
	return path + (text ? "?" + text : "");
}
