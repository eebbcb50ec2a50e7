import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { CountryRow } from "../api/types";
import { count, rate, share } from "../text/format";
import { countryName } from "../text/places";
import { COUNTRY_JUMP, hasJumped } from "../text/sentences";
import { t } from "../text/strings";
import { go } from "../router";
import { stepOf, Steps, thresholds } from "./heat";

type World = (typeof import("virtual:world"))["default"];
let world: World | null = null;

export const worldNow = (): World | null => world;

const valueOf = (r: CountryRow): number => r.rate ?? r.accesses;
const isHot = (r: CountryRow): boolean => hasJumped(r, COUNTRY_JUMP);

// The values that part the steps of a map of these rows, and the step of one of them.
export const mapBounds = (rows: CountryRow[] | undefined): number[] => thresholds((rows ?? []).filter(r => r.country).map(valueOf));
export const lookOf = (r: CountryRow | undefined, bounds: number[]): string => (r ? `m${stepOf(valueOf(r), bounds)}` : "m0");

function useWorld(): World | null {
	const [, again] = useState(world);
	useEffect(() => {
		if (!world)
			void import("virtual:world").then(
				m => again((world = m.default)),
				() => undefined,
			);
	}, []);
	return world;
}

// Where sources lie: shades of five steps, a jump outlined. It is never alone: the same rows stand beside it as a table,
// which is what a screen reader and the keyboard get.
export function WorldMap({ rows, small }: { rows: CountryRow[] | undefined; small?: boolean }): JSX.Element {
	const w = useWorld(),
		by = new Map((rows ?? []).filter(r => r.country).map(r => [r.country!, r]));
	const bounds = mapBounds(rows);
	const look = (code: string): string => {
		const r = by.get(code);
		return lookOf(r, bounds) + (r && isHot(r) ? " hot" : "");
	};
	const title = (code: string): string => {
		const r = by.get(code);
		return r
			? `${countryName(code)} ${r.rate === null ? count(r.accesses) : rate(r.rate)} (${share(r.share)})`
			: countryName(code);
	};
	const open = (code: string) => (by.has(code) ? () => go(`/countries/${code}`) : undefined);
	const some = [...by.values()].some(isHot);
	return (
		<figure class={"map" + (small ? " small" : "")} aria-hidden="true">
			<svg viewBox={`0 0 ${w?.width ?? 1000} ${w?.height ?? 470}`}>
				{w && <path class="m0" d={w.rest} />}
				{w &&
					Object.entries(w.areas).map(([code, d]) => (
						<path key={code} class={look(code)} d={d} onClick={open(code)}>
							<title>{title(code)}</title>
						</path>
					))}
				{w &&
					[...by.keys()]
						.filter(code => w.areas[code] && isHot(by.get(code)!))
						.map(code => <path key={"hot" + code} class="outline" d={w.areas[code]} />)}
				{w &&
					Object.entries(w.dots)
						.filter(([code]) => by.has(code))
						.map(([code, [x, y]]) => (
							<circle key={code} class={look(code)} cx={x} cy={y} r={small ? 11 : 6} onClick={open(code)}>
								<title>{title(code)}</title>
							</circle>
						))}
			</svg>
			{bounds.length > 0 && <Steps bounds={bounds} />}
			<p class="note">
				{some && (
					<span class="jumpkey">
						<i />
						{t("rankJumped")}
					</span>
				)}{" "}
				{t("mapSmall")}
			</p>
		</figure>
	);
}
