using System.Diagnostics;

namespace ImageStore.Integration.Tests.Support;

/// <summary>One process of Debian's docker-registry.</summary>
internal sealed class DebianRegistry : IAsyncDisposable
{
    private readonly Process _server;

    private DebianRegistry(Process server, string host) => (_server, Host) = (server, host);

    public string Host { get; }

    /// <summary>Starts it on a free port of loopback.</summary>
    /// <param name="work">Its folder.</param>
    /// <param name="more">Further lines of its configuration, such as <c>auth</c>.</param>
    public static async Task<DebianRegistry> StartAsync(string work, string more = "")
    {
        Directory.CreateDirectory(work);
        var host = $"127.0.0.1:{Addresses.FreePort()}";
        var config = Path.Combine(work, "config.yml");
        await File.WriteAllTextAsync(config, $$$"""
            version: 0.1
            log: {level: error, accesslog: {disabled: true}}
            storage: {filesystem: {rootdirectory: {{{work}}}/data}, delete: {enabled: true}}
            http: {addr: "{{{host}}}"}
            {{{more}}}
            """);
        var server = Run.Start("docker-registry", ["serve", config]);
        server.BeginErrorReadLine();
        server.BeginOutputReadLine();
        await Addresses.WaitAsync(host);
        return new DebianRegistry(server, host);
    }

    public async ValueTask DisposeAsync()
    {
        _server.Kill();
        await _server.WaitForExitAsync();
        _server.Dispose();
    }
}
