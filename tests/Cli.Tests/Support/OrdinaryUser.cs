using System.Globalization;

namespace ImageStore.Cli.Tests.Support;

/// <summary>A user of the machine with subordinate ids, for as long as a class of tests runs.</summary>
public sealed class OrdinaryUser : IAsyncLifetime
{
    /// <summary>The first subordinate id, far from where useradd gives them.</summary>
    public const long FirstId = 1_900_000_000;

    private const int Ids = 65536;

    internal string Name { get; } = "is" + Guid.NewGuid().ToString("N")[..12];

    /// <summary>Is it there? Only root can make one.</summary>
    internal bool Exists { get; private set; }

    internal string Id { get; private set; } = string.Empty;

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        var made = await Shell.RunAsync("useradd", ["--no-create-home", "--no-user-group", "--key", "SUB_UID_COUNT=0", "--key", "SUB_GID_COUNT=0", Name]);
        Exists = made.ExitCode == 0;
        if (Exists)
        {
            var range = string.Create(CultureInfo.InvariantCulture, $"{FirstId}-{FirstId + Ids - 1}");
            var given = await Shell.RunAsync("usermod", ["--add-subuids", range, "--add-subgids", range, Name]);
            Assert.True(given.ExitCode == 0, given.Error);
            Id = (await Shell.RunAsync("id", ["-u", Name])).Output.Trim();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Exists)
        {
            await Shell.RunAsync("userdel", [Name]);
        }
    }
}
