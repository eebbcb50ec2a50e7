declare module "virtual:world" {
	const world: {
		width: number;
		height: number;
		areas: Record<string, string>; // by ISO 3166 alpha-2
		dots: Record<string, [number, number]>; // too small for the map
		rest: string;
	};
	export default world;
}
declare module "*.css";
