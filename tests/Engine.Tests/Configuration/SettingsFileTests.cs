using System.Text.RegularExpressions;
using ImageStore.Engine.Configuration;
using ImageStore.Gc.Pressure;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Tests.Configuration;

public sealed class SettingsFileTests
{
    [Fact]
    public void Template_IsTheDefaults() => Assert.Equal(new Settings(), SettingsFile.Parse(SettingsFile.Template, "config.toml"));

    [Fact]
    public void Template_WithEveryKeyRemoved_SaysNothingElse()
    {
        // Every line that sets something is a key that is known: a changed name would be refused.
        var keys = Regex.Matches(SettingsFile.Template, @"^#? ?(\w+) = ", RegexOptions.Multiline).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(
            ["sharing", "pause_threshold", "deletion_threshold", "mutation_threshold", "schedule_delay", "startup_delay", "interval", "high_water", "low_water", "interval", "rate", "slice",
                "volatile", "mount_options", "digests",
                "socket_group", "users", "groups", "namespaces", "may", "file", "max_size", "keep",
                "max_entries", "max_unpacked", "max_expansion", "expansion_floor", "max_path", "max_depth", "max_headers", "max_global_records",
                "max_xattr", "max_entry_xattrs", "max_sparse_segments"],
            keys);
    }

    [Fact]
    public void Parse_OfEverything_HasEverything()
    {
        var settings = SettingsFile.Parse(
            """
            [content]
            sharing = "isolated"
            [gc]
            pause_threshold = 0.1
            deletion_threshold = 3
            mutation_threshold = 0
            schedule_delay = "1m30s"
            startup_delay = "0s"
            interval = "never"
            high_water = 85
            low_water = 79.5
            [scrub]
            interval = "7d"
            rate = "500k"
            slice = "30s"
            [snapshotters.overlayfs]
            volatile = true
            mount_options = ["xino=on", "nodev"]
            [layers]
            max_entries = 1
            max_unpacked = "2k"
            max_expansion = 3
            expansion_floor = "4M"
            max_path = 5
            max_depth = 6
            max_headers = "7k"
            max_global_records = 8
            max_xattr = "9"
            max_entry_xattrs = "10"
            max_sparse_segments = 11
            [daemon]
            socket_group = "imagestore"
            [audit]
            file = "/var/log/audit.log"
            max_size = "1M"
            keep = 0
            [[access]]
            users = ["alice", 1001, "1002"]
            namespaces = ["a", "ci-*"]
            may = ["write"]
            [[access]]
            groups = [0]
            namespaces = ["*"]
            may = ["read", "run", "administer"]
            """,
            "f");

        Assert.Equal(ContentSharing.Isolated, settings.Sharing);
        Assert.Equal((0.1, 3, 0), (settings.Collection.PauseThreshold, settings.Collection.DeletionThreshold, settings.Collection.MutationThreshold));
        Assert.Equal((TimeSpan.FromSeconds(90), TimeSpan.Zero, null), (settings.Collection.ScheduleDelay, settings.Collection.StartupDelay, settings.Collection.Interval));
        Assert.Equal(new WaterMarks(0.85, 0.795), settings.Marks);
        Assert.Equal(
            new LayerLimits
            {
                MaxEntries = 1, MaxUnpackedBytes = 2 << 10, MaxExpansion = 3, ExpansionFloorBytes = 4 << 20, MaxPathBytes = 5, MaxDepth = 6,
                MaxHeaderBytes = 7 << 10, MaxGlobalRecords = 8, MaxXattrBytes = 9, MaxEntryXattrBytes = 10, MaxSparseSegments = 11,
            },
            settings.Layers);
        Assert.Equal(new ScrubSettings { Interval = TimeSpan.FromDays(7), BytesPerSecond = 500 << 10, Slice = TimeSpan.FromSeconds(30) }, settings.Scrub);
        Assert.True(settings.Snapshotters.Overlay.Volatile);
        Assert.Equal(["xino=on", "nodev"], settings.Snapshotters.Overlay.MountOptions);
        Assert.Equal("imagestore", settings.SocketGroup?.Name);
        Assert.Equal(new AuditSettings { File = "/var/log/audit.log", MaxBytes = 1 << 20, Kept = 0 }, settings.Audit);
        Assert.Equal(2, settings.Access.Count);
        Assert.Equal([null, 1001u, 1002u], settings.Access[0].Users.Select(user => user.Id));
        Assert.Equal(("alice", 38), (settings.Access[0].Users[0].Name, settings.Access[0].Users[0].Written.Line));
        Assert.Empty(settings.Access[0].Groups);
        Assert.Equal(AccessRights.Read | AccessRights.Write, settings.Access[0].Rights);
        Assert.Equal([0u], settings.Access[1].Groups.Select(group => group.Id!.Value));
        Assert.Equal(AccessRights.Read | AccessRights.Run | AccessRights.Administer, settings.Access[1].Rights);
    }

    [Fact]
    public void Parse_AuditOnStandardError_HasNoFile()
    {
        var audit = SettingsFile.Parse("[audit]\nfile = \"stderr\"", "f").Audit;
        Assert.Equal((null, true), (audit.File, audit.IsOnStandardError));
    }

    [Theory]
    [InlineData("team-a", "team-a", true)]
    [InlineData("team-a", "team-ab", false)]
    [InlineData("ci-*", "ci-1", true)]
    [InlineData("ci-*", "ci-", true)]
    [InlineData("ci-*", "CI-1", false)]
    [InlineData("ci-*", "xci-1", false)]
    [InlineData("*", "anything", true)]
    public void Matches_ANamespace_ByItsNameOrItsBeginning(string pattern, string name, bool matches) =>
        Assert.Equal(matches, NamespacePattern.Parse(pattern)!.Matches(name));

    [Theory]
    [InlineData("")]
    [InlineData("**")]
    [InlineData("*-ci")]
    [InlineData("a*b")]
    [InlineData("-*")]
    [InlineData("a b")]
    [InlineData("a-")]
    [InlineData("a/*")]
    public void Parse_NoPattern_IsNone(string text) => Assert.Null(NamespacePattern.Parse(text));

    [Theory]
    [InlineData("users = [\"a\"]\nnamespaces = [\"a\"]", 1, "no 'may'")]
    [InlineData("users = [\"a\"]\nmay = [\"read\"]", 1, "no 'namespaces'")]
    [InlineData("namespaces = [\"a\"]\nmay = [\"read\"]", 1, "neither users nor groups")]
    [InlineData("users = []\nnamespaces = [\"a\"]\nmay = [\"read\"]", 1, "neither users nor groups")]
    [InlineData("users = [\"a\"]\nnamespaces = []\nmay = [\"read\"]", 3, "'namespaces' is empty")]
    [InlineData("users = [\"a\"]\nnamespaces = [\"a\"]\nmay = []", 4, "'may' is empty")]
    [InlineData("users = [\"a\"]\nnamespaces = [\"a\"]\nmay = [\"all\"]", 4, "a right is 'read', 'write', 'run' or 'administer'")]
    [InlineData("users = [\"a\"]\nnamespaces = [\"a\"]\nmay = \"read\"", 4, "a list is expected")]
    [InlineData("users = [\"a\"]\nnamespaces = [\"a*b\"]\nmay = [\"read\"]", 3, "'a*b' is neither a namespace")]
    [InlineData("users = \"a\"", 2, "a list is expected")]
    [InlineData("users = [true]", 2, "a whole number is expected")]
    [InlineData("users = [-1]", 2, "'-1' is neither a name nor a number")]
    [InlineData("users = [4294967295]", 2, "'4294967295' is neither a name nor a number")]
    [InlineData("users = [\"4294967296\"]", 2, "'4294967296' is neither a name nor a number")]
    [InlineData("users = [\"\"]", 2, "'' is neither a name nor a number")]
    [InlineData("users = [\"root\\u0000x\"]", 2, "neither a name nor a number")]
    [InlineData("user = [\"a\"]", 2, "'user' is not known")]
    public void Parse_AMistakeInARule_NamesLineAndReason(string rule, int line, string reason)
    {
        var failure = Assert.Throws<ImageStoreException>(() => SettingsFile.Parse($"[[access]]\n{rule}", "f"));
        Assert.StartsWith($"f, line {line}: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[gc]\npause = 1", 2, "'pause' is not known")]
    [InlineData("\n[garbage]", 2, "'garbage' is not known")]
    [InlineData("[content]\nsharing = \"all\"", 2, "'proof', 'shared' or 'isolated'")]
    [InlineData("[content]\nsharing = 1", 2, "a string is expected")]
    [InlineData("gc = 1", 1, "a table is expected")]
    [InlineData("[gc]\npause_threshold = 0.6", 2, "at most 0.5")]
    [InlineData("[gc]\nmutation_threshold = -1", 2, "at least 0")]
    [InlineData("[gc]\ninterval = \"soon\"", 2, "a time is such as")]
    [InlineData("[gc]\ninterval = \"0s\"", 2, "a time is such as")]
    [InlineData("[gc]\n\nhigh_water = 85", 3, "go together")]
    [InlineData("[gc]\nhigh_water = 80\nlow_water = 85", 2, "above low_water")]
    [InlineData("[gc]\nhigh_water = 101\nlow_water = 85", 2, "between 0 and 100")]
    [InlineData("[scrub]\nrate = \"fast\"", 2, "bytes a second")]
    [InlineData("[snapshotters]\n[snapshotters.overlay]", 2, "'overlay' is not known")]
    [InlineData("[snapshotters.overlayfs]\nfast = true", 2, "'fast' is not known")]
    [InlineData("[snapshotters.overlayfs]\nvolatile = \"yes\"", 2, "true or false")]
    [InlineData("[snapshotters.overlayfs]\nmount_options = \"nodev\"", 2, "a list is expected")]
    [InlineData("[snapshotters.overlayfs]\nmount_options = [\"nodev\", \"lowerdir=/\"]", 2, "a mount option is one of")]
    [InlineData("[snapshotters.overlayfs]\nmount_options = [\"xino=maybe\"]", 2, "xino=auto, xino=off, xino=on")]
    [InlineData("[snapshotters.overlayfs]\nmount_options = [\"nodev,upperdir=/\"]", 2, "a mount option is one of")]
    [InlineData("[layers]\nmax_entries = 0", 2, "max_entries is at least 1")]
    [InlineData("[layers]\nmax_path = 4096", 2, "at most 4095")]
    [InlineData("[layers]\nmax_depth = 401", 2, "at most 400")]
    [InlineData("[layers]\nmax_depth = \"deep\"", 2, "a whole number is expected")]
    [InlineData("[layers]\nmax_expansion = 1.5", 2, "a whole number is expected")]
    [InlineData("[layers]\n\nmax_headers = \"65M\"", 3, "at most 64.0 MiB")]
    [InlineData("[layers]\nmax_xattr = \"65k\"", 2, "at most 64.0 KiB")]
    [InlineData("[layers]\nmax_unpacked = 5", 2, "a string is expected")]
    [InlineData("[layers]\nmax_unpacked = \"much\"", 2, "a number of bytes")]
    [InlineData("[layers]\nmax_files = 1", 2, "'max_files' is not known")]
    [InlineData("[scrub\n", 1, "")]
    [InlineData("[access]\nusers = [1]", 1, "a list is expected")]
    [InlineData("access = []\n[[access]]", 2, "")]
    [InlineData("[access]\n[[access]]", 2, "")]
    [InlineData("[[access]]\n[access]", 2, "")]
    [InlineData("[[gc]]\ninterval = \"1h\"", 1, "a table is expected")]
    [InlineData("[daemon]\nsocket_group = 1.5", 2, "a whole number is expected")]
    [InlineData("[daemon]\nsocket = \"x\"", 2, "'socket' is not known")]
    [InlineData("[audit]\nfile = \"audit.log\"", 2, "absolute path")]
    [InlineData("[audit]\nfile = \"/var/log/\"", 2, "absolute path")]
    [InlineData("[audit]\nmax_size = \"1k\"", 2, "at least 64.0 KiB")]
    [InlineData("[audit]\nkeep = 101", 2, "at most 100")]
    [InlineData("[audit]\nlevel = 1", 2, "'level' is not known")]
    public void Parse_Mistake_NamesFileLineAndReason(string text, int line, string reason)
    {
        var failure = Assert.Throws<ImageStoreException>(() => SettingsFile.Parse(text, "/etc/x.toml"));
        Assert.Equal(ErrorKind.FailedPrecondition, failure.Kind);
        Assert.StartsWith($"/etc/x.toml, line {line}: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TakesTheNamedFileBeforeTheRoots_AndMissesIt()
    {
        var root = Directory.CreateTempSubdirectory("settings-").FullName;
        try
        {
            Assert.Equal(new Settings(), SettingsFile.Load(null, root));
            File.WriteAllText(Path.Combine(root, "config.toml"), "[content]\nsharing = \"shared\"");
            Assert.Equal(ContentSharing.Shared, SettingsFile.Load(null, root).Sharing);
            var other = Path.Combine(root, "other.toml");
            Assert.Equal(ErrorKind.NotFound, Assert.Throws<ImageStoreException>(() => SettingsFile.Load(other, root)).Kind);
            File.WriteAllText(other, string.Empty);
            Assert.Equal(ContentSharing.Proof, SettingsFile.Load(other, root).Sharing);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
