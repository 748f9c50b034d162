using ImageStore.Fuzz;
using SharpFuzz;

// fuzz TARGET          under afl-fuzz: one input after the other
// fuzz TARGET FILE...  each file once, to look at what was found
if (args.Length == 0 || !FuzzTargets.All.TryGetValue(args[0], out var target))
{
    Console.Error.WriteLine($"fuzz: name one of {string.Join(", ", FuzzTargets.All.Keys)}");
    return 2;
}

// A configuration may name a credential helper; none is to be run.
Environment.SetEnvironmentVariable("PATH", "");
if (args.Length == 1)
{
    Fuzzer.Run(stream =>
    {
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        target(copy.ToArray());
    });
    return 0;
}

foreach (var file in args[1..])
{
    target(File.ReadAllBytes(file));
    Console.Out.WriteLine($"{file}: fine");
}

return 0;
