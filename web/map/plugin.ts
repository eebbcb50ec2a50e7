import { createRequire } from "node:module";
import { geoNaturalEarth1, geoPath } from "d3-geo";
import { feature } from "topojson-client";
import type { Plugin } from "vite";

const WIDTH = 1000,
	HEIGHT = 470;
const NAME = "virtual:world";

interface Shape {
	type: "Feature";
	id?: string;
	geometry: GeoJSON.Geometry;
	properties: unknown;
}

// Natural Earth (public domain), Pacific-centred, as one SVG path a country: made when the pages are built, so that no
// map library reaches a browser. What the coarse map leaves out becomes a dot at its middle in the fine one.
function shapes() {
	const require = createRequire(import.meta.url);
	const alpha2 = require("i18n-iso-countries").numericToAlpha2 as (code: string) => string | undefined;
	const read = (file: string) => {
		const atlas = require(`world-atlas/${file}`);
		return (feature(atlas, atlas.objects.countries) as unknown as { features: Shape[] }).features;
	};
	const projection = geoNaturalEarth1().rotate([-150, 0]).precision(0.6);
	const coarse = read("countries-110m.json").filter(f => f.id !== "010");
	projection.fitSize([WIDTH, HEIGHT], { type: "FeatureCollection", features: coarse } as never);
	const draw = geoPath(projection).digits(0);
	const areas: Record<string, string> = {},
		dots: Record<string, [number, number]> = {};
	let rest = "";
	for (const f of coarse) {
		const code = f.id && alpha2(f.id),
			path = draw(f as never) ?? "";
		if (code) areas[code] = (areas[code] ?? "") + path;
		else rest += path;
	}
	for (const f of read("countries-50m.json")) {
		const code = f.id && alpha2(f.id);
		if (!code || areas[code] || f.id === "010") continue;
		const [x, y] = draw.centroid(f as never);
		if (x !== undefined && y !== undefined && Number.isFinite(x)) dots[code] = [Math.round(x), Math.round(y)];
	}
	return { width: WIDTH, height: HEIGHT, areas, dots, rest };
}

export function worldMap(): Plugin {
	return {
		name: "monomi-world",
		resolveId: id => (id === NAME ? "\0" + NAME : undefined),
		load: id => (id === "\0" + NAME ? `export default ${JSON.stringify(shapes())};` : undefined),
	};
}
