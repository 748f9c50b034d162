using System.Diagnostics;
using System.Text;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Tasks;

/// <summary>A program that ends by <c>read x</c>: when all that it wrote has come, its input is closed.</summary>
/// <remarks>ctr 1.6 stops reading when a program has ended, whatever is still to come.</remarks>
internal static class WaitingProgram
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>Lets it go on when it has written so many characters, or ended.</summary>
    public static async Task<Run.Result> ReadAsync(Process running, int output, int error)
    {
        using (running)
        {
            using var limit = new CancellationTokenSource(s_patience);
            var (seenOutput, seenError) = (new StringBuilder(), new StringBuilder());
            await Task.WhenAll(
                ReadAsync(running.StandardOutput, seenOutput, output, limit.Token), ReadAsync(running.StandardError, seenError, error, limit.Token));
            running.StandardInput.Close();
            await Task.WhenAll(
                ReadAsync(running.StandardOutput, seenOutput, int.MaxValue, limit.Token),
                ReadAsync(running.StandardError, seenError, int.MaxValue, limit.Token));
            await running.WaitForExitAsync(limit.Token);
            return new Run.Result(running.ExitCode, seenOutput.ToString(), seenError.ToString());
        }
    }

    private static async Task ReadAsync(StreamReader reader, StringBuilder seen, int length, CancellationToken cancellation)
    {
        var piece = new char[64 << 10];
        while (seen.Length < length && await reader.ReadAsync(piece, cancellation) is var count and > 0)
        {
            seen.Append(piece, 0, count);
        }
    }
}
