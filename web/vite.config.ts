import { defineConfig } from "vite";
import { worldMap } from "./map/plugin";

// What the program embeds: index.html and a few files with hashed names, none of them from anywhere else, nothing inline
// that `default-src 'self'` would refuse.
export default defineConfig({
	plugins: [worldMap()],
	esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
	build: {
		outDir: "../build/web",
		emptyOutDir: true,
		target: "es2021",
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		cssCodeSplit: false,
		reportCompressedSize: false,
	},
	server: { proxy: { "/v1": process.env.MONOMI_API ?? "http://127.0.0.1:8080" } },
});
