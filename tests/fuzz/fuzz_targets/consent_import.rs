#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| warifu_fuzz::foreign::consent_import(data));
