//! A large program.

/// A program of so many functions, seven lines each, whose loops turn as often as their numbers say.
pub fn many_functions(functions: usize) -> String {
    (0..functions).map(function).collect()
}

fn function(number: usize) -> String {
    format!(
        "def function_{number}(n):\n    total = 0\n    for i in range(n):\n        total += i * {number}\n    \
         return total\n\nfunction_{number}({})\n",
        number % 50
    )
}
