using System.Diagnostics;

namespace ImageStore.Integration.Tests.Support;

/// <summary>Our daemon as users start it, with folders of its own.</summary>
internal sealed class Imagestored : IAsyncDisposable
{
    private const int Terminate = 15;
    private const int Attempts = 400;

    private readonly Process _server;

    private Imagestored(Process server, string socket) => (_server, Socket) = (server, socket);

    public string Socket { get; }

    public static async Task<Imagestored> StartAsync(string work)
    {
        Directory.CreateDirectory(work);
        var socket = Path.Combine(work, "sock");
        var server = new ImageStoreCli(Path.Combine(work, "root")).Start("daemon", "--address", socket, "--state", Path.Combine(work, "state"));
        server.BeginErrorReadLine();
        server.BeginOutputReadLine();
        var daemon = new Imagestored(server, socket);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if ((await Run.TryAsync("ctr", ["-a", socket, "version"])).ExitCode == 0)
            {
                return daemon;
            }

            await Task.Delay(50);
        }

        await daemon.DisposeAsync();
        throw new InvalidOperationException("The daemon does not answer.");
    }

    /// <summary>Asks it to stop, and gives what it ended with.</summary>
    public async Task<int> StopAsync()
    {
        await Run.AsyncOk("kill", $"-{Terminate}", _server.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await _server.WaitForExitAsync();
        return _server.ExitCode;
    }

    public void Kill() => _server.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!_server.HasExited)
        {
            await StopAsync();
        }

        _server.Dispose();
    }
}
