import type { JSX } from "preact";
import { ticksOf } from "./scale";

// The moments under a chart; its end may have a name of its own.
export function Times({ from, to, last }: { from: number; to: number; last?: string | undefined }): JSX.Element {
	return (
		<>
			{ticksOf(from, to).map(k => (
				<span
					key={k.at}
					class={(k.minor ? "minor " : "") + (k.near ? "near " : "") + (k.at === 100 ? "end" : "")}
					style={{ left: `${k.at}%` }}
				>
					{k.at === 100 && last ? last : k.text}
				</span>
			))}
		</>
	);
}

// The same as the last line of a chart whose lines have heads.
export function TimesLine({ from, to }: { from: number; to: number }): JSX.Element {
	return (
		<div class="line" aria-hidden="true">
			<span class="head" />
			<span class="xs">
				<Times from={from} to={to} />
			</span>
		</div>
	);
}
