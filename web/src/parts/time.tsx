import type { JSX } from "preact";
import { moment, NONE, utc } from "../text/format";

// In the reader's zone, UTC on hover.
export function Time({ at, near }: { at: string | null | undefined; near?: Date }): JSX.Element {
	if (!at) return <span>{NONE}</span>;
	return (
		<time dateTime={at} title={utc(new Date(at))}>
			{moment(at, near)}
		</time>
	);
}
