using System.Diagnostics;

namespace ImageStore.Integration.Tests.Support;

/// <summary>Runs programs, and keeps what they say.</summary>
internal static class Run
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    public sealed record Result(int ExitCode, string Output, string Error);

    /// <summary>Where a program is, or null.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':')
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);

    /// <summary>Skips the test when a program is missing.</summary>
    public static void Need(params string[] programs)
    {
        foreach (var program in programs)
        {
            if (Find(program) is null)
            {
                Assert.Skip($"{program} is not installed");
            }
        }
    }

    public static void NeedRoot()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Skip("needs root");
        }
    }

    public static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }

        return Process.Start(start)!;
    }

    public static async Task<Result> TryAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, byte[]? input = null)
    {
        using var process = Start(program, arguments, environment);
        await process.StandardInput.BaseStream.WriteAsync(input ?? []);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(s_limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} did not end within {s_limit}");
        }

        return new Result(process.ExitCode, await output, await error);
    }

    public static async Task<string> AsyncOk(string program, params string[] arguments)
    {
        var result = await TryAsync(program, arguments);
        Assert.True(
            result.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Error}{result.Output}");
        return result.Output;
    }
}
