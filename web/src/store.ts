import { useEffect, useReducer } from "preact/hooks";

// A value that components follow: the whole of the program's state that is not in the URL.
export class Cell<T> {
	private followers = new Set<() => void>();
	constructor(private value: T) {}

	get(): T {
		return this.value;
	}

	set(value: T): void {
		if (Object.is(value, this.value)) return;
		this.value = value;
		for (const f of [...this.followers]) f();
	}

	follow(f: () => void): () => void {
		this.followers.add(f);
		return () => this.followers.delete(f);
	}
}

export function useCell<T>(cell: Cell<T>): T {
	const [, again] = useReducer((n: number) => n + 1, 0);
	const seen = cell.get();
	useEffect(() => {
		if (!Object.is(seen, cell.get())) again(0); // it changed between drawing and following
		return cell.follow(() => again(0));
	}, [cell]);
	return seen;
}
