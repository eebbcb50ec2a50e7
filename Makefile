# `make run` and `make test` are all a user needs; this only calls cmake and the scripts in tools/.
.PHONY: build test
build:
	cmake -S . -B build -G Ninja
	cmake --build build
test:
	cmake -S . -B build-test -G Ninja -DMONOMI_TESTS=ON
	cmake --build build-test
	ctest --test-dir build-test --output-on-failure
