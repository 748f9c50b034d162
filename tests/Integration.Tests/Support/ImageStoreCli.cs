namespace ImageStore.Integration.Tests.Support;

/// <summary>The program under test, with a root of its own.</summary>
internal sealed class ImageStoreCli(string root, IReadOnlyDictionary<string, string>? environment = null)
{
    /// <summary>The built program; <c>./test</c> sets it.</summary>
    public static string Binary =>
        Environment.GetEnvironmentVariable("IMAGESTORE_BIN") is { Length: > 0 } path && File.Exists(path)
            ? path
            : throw new InvalidOperationException("IMAGESTORE_BIN does not name the built program: run ./test.");

    public string Root => root;

    public Task<Run.Result> TryAsync(params string[] arguments) => Run.TryAsync(Binary, [.. Global(), .. arguments], environment);

    /// <summary>Runs it with <paramref name="input"/> on standard input.</summary>
    public Task<Run.Result> TryWithInputAsync(string input, params string[] arguments) =>
        TryWithBytesAsync(System.Text.Encoding.UTF8.GetBytes(input), arguments);

    /// <summary>Runs it with <paramref name="input"/> on standard input.</summary>
    public Task<Run.Result> TryWithBytesAsync(byte[] input, params string[] arguments) =>
        Run.TryAsync(Binary, [.. Global(), .. arguments], environment, input);

    public async Task<string> OkAsync(params string[] arguments)
    {
        var result = await TryAsync(arguments);
        Assert.True(
            result.ExitCode == 0, $"imagestore {string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Error}");
        return result.Output;
    }

    public System.Diagnostics.Process Start(params string[] arguments) => Run.Start(Binary, [.. Global(), .. arguments], environment);

    private string[] Global() => ["--root", root];
}
