using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Disk;
using ImageStore.Integration.Tests.Durability.Tracing;

namespace ImageStore.Integration.Tests.Durability;

/// <summary>What is made of the calls of programs.</summary>
public sealed class RecordingTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task Add_WhatCommonToolsDo_GivesTheDiskThatTheyLeave()
    {
        await Strace.NeedAsync();
        var scope = _scratch.NewFolder("scope");
        var record = new DiskRecord(scope, new DiskState(new Inode(InodeKind.Directory)), Kernel.Owner);
        string[][] commands =
        [
            ["mkdir", In("d"), In("d/e")],
            ["dd", "if=/proc/self/status", $"of={In("d/a")}", "bs=100", "count=7", "conv=fsync"],
            ["dd", "if=/proc/self/status", $"of={In("d/a")}", "bs=50", "count=2", "seek=3", "conv=notrunc"],
            ["dd", "if=/proc/self/status", $"of={In("d/a")}", "bs=50", "count=2", "oflag=append", "conv=notrunc"],
            ["ln", In("d/a"), In("d/b")],
            ["ln", "-s", "a", In("d/link")],
            ["mkfifo", In("d/pipe")],
            ["mv", In("d/a"), In("d/e/moved")],
            ["truncate", "-s", "3000", In("d/b")],
            ["fallocate", "-l", "5000", In("d/b")],
            ["chmod", "600", In("d/e/moved")],
            ["sync", In("d/e")],
            ["mkdir", In("g")],
            ["mv", "-T", In("d/e"), In("g")],
            ["rm", In("d/b")],
            ["rmdir", In("d/nothing")],
            ["rm", In("d/link"), In("d/pipe")],
            ["rmdir", In("d")],
        ];
        foreach (var command in commands)
        {
            var traced = await Strace.RecordAsync(null, command, _scratch.New("trace"));
            record.Add(traced.Events);
            Assert.Empty(DiskDifference.Of(record.State, await DiskReader.ReadAsync(scope)));
        }

        var moved = record.State[record.State.Root].Entries["g"];
        Assert.Equal(5000, record.State[record.State[moved].Entries["moved"]].Length);
        Assert.Equal([record.State[moved].Entries["moved"], moved], record.Operations.OfType<InodeSync>().Select(sync => sync.Inode).Distinct());

        // What is written down again is the same.
        var copy = _scratch.NewFolder("copy");
        new DiskWriter(record.State).WriteTo(copy);
        Assert.Empty(DiskDifference.Of(record.State, await DiskReader.ReadAsync(copy)));

        string In(string path) => Path.Combine(scope, path);
    }

    [Fact]
    public void Read_LinesOfThreads_GivesBeginningsAndEndsInOrder()
    {
        string[] lines =
        [
            "11 mkdir(\"\\x2f\\x61\", 0700) = 0",
            "11 fsync(7<\\x2f\\x61> <unfinished ...>",
            "12 pwrite64(8</x>, \"\\x00\\x22\\x29\\x2c\", 4, 16) = 4",
            "11 <... fsync resumed>) = -1 EIO (Input/output error) (INJECTED)",
            "12 writev(8</x>, [{iov_base=\"\\x61\", iov_len=1}, {iov_base=\"\\x62\\x63\", iov_len=2}], 2) = 3",
            "12 close(8</x> <unfinished ...>",
            "11 +++ killed by SIGKILL +++",
        ];

        var events = StraceLog.Read(lines);

        Assert.Equal(
            ["+mkdir", "-mkdir", "+fsync", "+pwrite64", "-pwrite64", "-fsync", "+writev", "-writev", "+close"],
            events.Select(one => (one.IsEnd ? "-" : "+") + one.Call.Name));
        var fsync = events[5].Call;
        Assert.Equal((2, 5, -1L, true), (fsync.Entered, fsync.Left, fsync.Result, fsync.Injected));
        Assert.Equal(7, StraceArguments.Descriptor(fsync.Arguments[0]));
        Assert.Equal("/a", StraceArguments.DescriptorPath(fsync.Arguments[0]));
        Assert.Equal("/a", StraceArguments.Text(events[0].Call.Arguments[0]));
        Assert.Equal([0, 0x22, 0x29, 0x2C], StraceArguments.Bytes(events[4].Call.Arguments[1]));
        Assert.Equal("abc"u8.ToArray(), StraceArguments.Vector(events[7].Call.Arguments[1]));
    }
}
